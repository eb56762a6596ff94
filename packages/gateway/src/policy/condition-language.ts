import { RE2JS } from '@bufbuild/re2'
import { celEnv, celFunc, celMethod, CelScalar, isCelError, parse, type CelFunc, type CelValue } from '@bufbuild/cel'
import { containsText } from './contains-text.ts'
import { detectorsNamed } from './detect/catalog.ts'
import { detectsIn } from './detections.ts'
import { Meter } from './meter.ts'

export type Expression = ReturnType<typeof parse>['expr']

const { BOOL, BYTES, DOUBLE, DYN, INT, STRING } = CelScalar

/** What a condition may speak of, and the members that are always there. `undefined` members: whatever the call carries. */
export const variables = {
  args: undefined,
  action: 'string',
  resource: 'string',
  upstream: 'string',
  subject: { tenant: 'string', agent: 'string', spiffe_id: 'string', session: 'bool', person: 'string', issuer: 'string', scopes: 'list', actors: 'list' },
  context: { protocol: 'string', method: 'string', remote_address: 'string', time: 'google.protobuf.Timestamp' },
} as const

/** Longest regular expression, in UTF-16 units; it bounds the work per character of text. */
export const patternLengthMax = 256

/** One expression's own copy of the language: the same functions as CEL's standard ones, but every cost that grows with the call's data is metered. */
export interface Language {
  readonly environment: ReturnType<typeof celEnv>
  readonly meter: Meter
}

/** Of all functions on texts, regular expressions do the most work per character. */
const costPerMatchedCharacter = 4
const costPerSearchedCharacter = 1 / 4
const costPerCopiedCharacter = 1 / 16

export function createLanguage(): Language {
  const meter = new Meter()
  const patterns = new Map<string, RE2JS>()
  const environment = celEnv({
    variables: {
      args: DYN,
      action: STRING,
      resource: STRING,
      upstream: STRING,
      subject: DYN,
      context: DYN,
    },
    funcs: overrides(meter),
    re2: {
      compile: (pattern) => {
        // Only literals of the expression get here (the checker sees to it), so the map is as small as the expression.
        const compiled = patterns.get(pattern) ?? RE2JS.compile(pattern)
        patterns.set(pattern, compiled)
        return {
          test(text) {
            meter.spend(text.length * costPerMatchedCharacter)
            return compiled.test(text)
          },
        }
      },
    },
  })
  return { environment, meter }
}

/** The fault in a regular expression, or undefined. */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > patternLengthMax) return `the regular expression is longer than ${patternLengthMax} characters`
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'not a regular expression of RE2'
  }
}

const decimal = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/
const integer = /^[+-]?[0-9]{1,20}$/

function overrides(meter: Meter): CelFunc[] {
  const standard = [...celEnv().funcs]
  const standardInt = standard.find(({ id }) => id === 'int(string)')
  if (!standardInt) throw new TypeError('the expression library has no int(string)')
  return [
    ...standard.filter(takesText).map((func) => meteredByLength(meter, func)),
    // The library's conversions read "" as 0, "0x10" as 16 and anything else as NaN, and `NaN > limit` is false: `amount: "75 USD"` would pass below any limit.
    celFunc('double', [STRING], DOUBLE, (text) => {
      if (!decimal.test(text) || !Number.isFinite(Number(text))) throw new Error('not a decimal number')
      return Number(text)
    }),
    celFunc('int', [STRING], INT, (text) => {
      if (!integer.test(text)) throw new Error('not a whole number')
      const value = standardInt.call(0, undefined, [text.replace('+', '')])
      if (typeof value !== 'bigint') throw isCelError(value) ? value : new Error('not a whole number')
      return value
    }),
    celFunc('detects', [DYN, STRING], BOOL, (value, name) => {
      const wanted = detectorsNamed(name)
      if (!wanted) throw new Error('there is no such detector')
      return detectsIn(value, wanted, meter)
    }),
    celFunc('size', [STRING], INT, (text) => metered(meter, text)),
    celMethod('size', STRING, [], INT, function () {
      return metered(meter, this)
    }),
    celMethod('contains', STRING, [STRING], BOOL, function (sought) {
      meter.spend((this.length + sought.length) * costPerSearchedCharacter)
      return containsText(this, sought)
    }),
  ]
}

function metered(meter: Meter, text: string): bigint {
  meter.spend(text.length)
  let codePoints = 0n
  for (const character of text) if (character) codePoints += 1n
  return codePoints
}

function takesText({ name, target, arguments: given }: CelFunc): boolean {
  return name !== 'matches' && [target, ...given].some((type) => type === STRING || type === BYTES || type === DYN)
}

/** The same function, but copying and comparing texts and bytes is paid for. */
function meteredByLength(meter: Meter, func: CelFunc): CelFunc {
  const { name, target, arguments: given, result } = func
  const call = (own: CelValue | undefined, values: readonly CelValue[]): CelValue => {
    for (const value of [own, ...values]) meter.spend(lengthOf(value) * costPerCopiedCharacter)
    const answer = func.call(0, own, [...values])
    if (answer === undefined || isCelError(answer)) throw answer ?? new Error('no value')
    return answer
  }
  if (target === undefined) return celFunc(name, given, result, (...values) => call(undefined, values))
  return celMethod(name, target, given, result, function (...values) {
    return call(this, values)
  })
}

function lengthOf(value: CelValue | undefined): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0
}
