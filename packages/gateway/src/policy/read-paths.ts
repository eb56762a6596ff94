import type { Json } from '@sallyport/contract'
import type { Expression } from './condition-language.ts'
import { ownMember } from './condition-values.ts'
import { detectorsNamed } from './detect/catalog.ts'
import type { Detector } from './detect/detector.ts'
import { scan } from './detect/scan.ts'
import type { Detection } from './detections.ts'
import type { Question } from './question.ts'
import { redactionOf } from './results.ts'

/** A member that an expression reads, such as `args.amount`: the variable and the names below it. */
export interface ReadPath {
  readonly text: string
  readonly names: readonly string[]
}

export type Fact = string | number | boolean | null

/** Most facts of one decision. */
export const factsMax = 32
/** Longest text of a fact, in UTF-16 units; longer ones are cut. */
export const factLengthMax = 256
/** Longest text of all facts of one decision together, in UTF-16 units; further ones are left out. */
export const factsLengthMax = 4096

/** The paths below `args` and `context` that an expression reads; who, where and what are in every entry anyway. */
export function readPaths(expression: Expression): readonly ReadPath[] {
  const paths = new Map<string, ReadPath>()
  collect(expression, paths)
  return [...paths.values()].slice(0, factsMax)
}

/** Every `detects(…)` in an expression. */
export function readDetections(expression: Expression): readonly Detection[] {
  const { exprKind } = expression
  const below = partsOf(expression).flatMap((part) => (part ? readDetections(part) : []))
  if (exprKind.case !== 'callExpr' || exprKind.value.function !== 'detects') return below
  const [value, detector] = exprKind.value.args
  const names = value && pathOf(value)
  const name =
    detector?.exprKind.case === 'constExpr' && detector.exprKind.value.constantKind.case === 'stringValue' ? detector.exprKind.value.constantKind.value : ''
  return [...below, { names: names?.[0] === 'args' ? names : ['args'], detectors: detectorsNamed(name) ?? [] }]
}

/** The scalar values that a call has at these paths, bounded in number and length, without credentials and what else is detected: the log forgets nothing. */
export function readFacts(paths: Iterable<ReadPath>, request: Question, detected: readonly Detection[] = []): Record<string, Fact> {
  const hidden = [...new Set([...(detectorsNamed('secret') ?? []), ...detected.flatMap(({ detectors }) => detectors)])]
  const facts: [string, Fact][] = []
  let length = 0
  for (const { text, names } of paths) {
    if (facts.length >= factsMax) break
    const value = valueAt(request, names, hidden)
    if (value === undefined) continue
    length += text.length + String(value).length
    if (length > factsLengthMax) break
    facts.push([text, value])
  }
  return Object.fromEntries(facts)
}

function collect(expression: Expression, paths: Map<string, ReadPath>): void {
  const { exprKind } = expression
  if (exprKind.case === 'callExpr' && exprKind.value.function === 'detects') return // what is found there is told by where and how often
  const names = pathOf(expression)
  if (names && (names[0] === 'args' || names[0] === 'context') && names.length > 1) {
    const text = names.join('.').slice(0, factLengthMax)
    paths.set(text, { text, names })
    return
  }
  for (const part of partsOf(expression)) if (part) collect(part, paths)
}

/** `args.a["b"]` as names, or undefined for anything that is not such a chain. */
function pathOf({ exprKind }: Expression): readonly string[] | undefined {
  switch (exprKind.case) {
    case 'identExpr':
      return [exprKind.value.name]
    case 'selectExpr': {
      const above = exprKind.value.operand && pathOf(exprKind.value.operand)
      return above && [...above, exprKind.value.field]
    }
    case 'callExpr': {
      const [operand, index] = exprKind.value.args
      if (exprKind.value.function !== '_[_]' || !operand || index?.exprKind.case !== 'constExpr') return undefined
      const { constantKind } = index.exprKind.value
      const above = pathOf(operand)
      return above && constantKind.case === 'stringValue' ? [...above, constantKind.value] : undefined
    }
    default:
      return undefined
  }
}

function partsOf({ exprKind }: Expression): readonly (Expression | undefined)[] {
  switch (exprKind.case) {
    case 'selectExpr':
      return [exprKind.value.operand]
    case 'callExpr':
      return [exprKind.value.target, ...exprKind.value.args]
    case 'listExpr':
      return exprKind.value.elements
    case 'structExpr':
      return exprKind.value.entries.flatMap(({ keyKind, value }) => (keyKind.case === 'mapKey' ? [keyKind.value, value] : [value]))
    case 'comprehensionExpr':
      return [exprKind.value.iterRange, exprKind.value.loopStep]
    default:
      return []
  }
}

function valueAt({ args, context }: Question, [variable, ...names]: readonly string[], hidden: readonly Detector[]): Fact | undefined {
  let value: Json | undefined = variable === 'args' ? args : { protocol: context.protocol, method: context.method, remote_address: context.remoteAddress }
  for (const name of names) value = value === undefined ? undefined : ownMember(value, name)
  if (value === null) return null
  if (typeof value === 'object') return undefined
  if (typeof value === 'string') return textForRecord(value, hidden)
  return typeof value === 'number' && hide(String(value), true, hidden) !== String(value) ? '[redacted]' : value
}

/** More than is written is looked at, so that what the cut divides is seen whole. */
const lookedAtMax = 4 * factLengthMax

function textForRecord(text: string, hidden: readonly Detector[]): string {
  const shown = hide(text.slice(0, lookedAtMax), text.length <= lookedAtMax, hidden)
  // A cut can split a surrogate pair, which JSON could not carry.
  return shown.length > factLengthMax || text.length > lookedAtMax ? `${shown.slice(0, factLengthMax - 1).toWellFormed()}…` : shown
}

/** No text that a detector finds is shorter. */
const hiddenMin = 6

function hide(text: string, isWhole: boolean, hidden: readonly Detector[]): string {
  if (text.length < hiddenMin) return text
  const { findings, undecidedFrom } = scan(text, 0, isWhole, hidden)
  let shown = ''
  let at = 0
  for (const { detector, start, end } of findings) {
    if (start >= at) shown += text.slice(at, start) + redactionOf(detector)
    at = Math.max(at, end)
  }
  return shown + text.slice(at, Math.max(at, undecidedFrom))
}
