import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { celList, isCelError, parse, plan, type CelInput } from '@bufbuild/cel'
import { checkCondition, type ConditionFault } from './condition-checker.ts'
import { createLanguage, type Expression } from './condition-language.ts'
import { conditionRecord, conditionValue, unreadArguments } from './condition-values.ts'
import type { Detection } from './detections.ts'
import type { Meter } from './meter.ts'
import type { Question } from './question.ts'
import { readDetections, readPaths, type ReadPath } from './read-paths.ts'

export type { ConditionFault } from './condition-checker.ts'

/** Longest expression, in UTF-16 units. */
export const expressionLengthMax = 4096

/** How deep parentheses, brackets and braces may nest; the parser works by recursion. */
const depthMax = 64

export type Judgement = { readonly kind: 'error'; readonly message: string } | { readonly kind: 'value'; readonly holds: boolean }

/** A `when`, ready to be asked. */
export interface Condition {
  /** What the expression reads of the call, for the record. */
  readonly reads: readonly ReadPath[]
  /** What it looks through the call for. */
  readonly detections: readonly Detection[]
  /**
   * Pure, synchronous and bounded: whatever the call carries, the work is limited, and too much of it is an error. Whoever asks must take an error for a
   * denial: a missing member, a type that does not fit, arguments that were never read.
   */
  evaluate(request: Question, nowMs: number): Judgement
}

/**
 * Parses, checks and plans an expression once.
 *
 * Refused: syntax errors, unknown names, members and functions, operands that fit no function, results other than true or false, nested comprehensions,
 * regular expressions that are not literal or not RE2, and expressions that are too long or too deep.
 *
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md
 */
export function compileCondition(
  text: string,
): { readonly kind: 'invalid'; readonly faults: readonly ConditionFault[] } | { readonly kind: 'compiled'; readonly condition: Condition } {
  const shape = shapeFault(text)
  if (shape) return { kind: 'invalid', faults: [shape] }
  const parsed = parseCondition(text)
  if (parsed.kind === 'fault') return { kind: 'invalid', faults: [parsed.fault] }
  const { environment, meter } = createLanguage()
  const { expression, positions } = parsed
  const faults = checkCondition(environment, expression, positions)
  if (faults.length > 0) return { kind: 'invalid', faults: faults.map((fault) => ({ ...fault, offset: skipSpace(text, fault.offset) })) }
  const planned = plan(environment, expression)
  const reads = readPaths(expression)
  const detections = readDetections(expression)
  return {
    kind: 'compiled',
    condition: {
      reads,
      detections,
      evaluate(request, nowMs) {
        meter.reset()
        const result = planned(new Bindings(request, nowMs, meter))
        if (typeof result === 'boolean') return { kind: 'value', holds: result }
        return { kind: 'error', message: isCelError(result) ? result.message : 'the result is neither true nor false' }
      },
    },
  }
}

/** What the names of an expression stand for in one call; opened only when the expression asks. */
class Bindings {
  [name: string]: CelInput
  readonly #request: Question
  readonly #nowMs: number
  readonly #meter: Meter

  constructor(request: Question, nowMs: number, meter: Meter) {
    this.#request = request
    this.#nowMs = nowMs
    this.#meter = meter
  }

  get args(): CelInput {
    const { args, isStreamed } = this.#request
    return isStreamed ? unreadArguments(args, this.#meter) : conditionValue(args ?? {}, this.#meter)
  }

  get action(): CelInput {
    return this.#request.action
  }

  get resource(): CelInput {
    return this.#request.resource
  }

  get upstream(): CelInput {
    return this.#request.upstream
  }

  get subject(): CelInput {
    const { tenant, agent, id, session } = this.#request.principal
    // Without a session there is no person, and a condition that asks for one fails, which denies: an empty name would differ from every name.
    const person = session && {
      person: session.subject,
      issuer: session.issuer,
      scopes: celList(session.scopes),
      actors: celList(session.actors.map((actor) => actor.id)),
    }
    return conditionRecord({ tenant, agent, spiffe_id: id, session: session !== undefined, ...person })
  }

  get context(): CelInput {
    const { protocol, method, remoteAddress } = this.#request.context
    return conditionRecord({ protocol, method, remote_address: remoteAddress, time: timestampFromMs(this.#nowMs) })
  }
}

/** The library places an operator at the space before it. */
function skipSpace(text: string, offset: number): number {
  return offset + (/^\s*/.exec(text.slice(offset))?.[0].length ?? 0)
}

function shapeFault(text: string): ConditionFault | undefined {
  if (text.length > expressionLengthMax) return { offset: expressionLengthMax, message: `the expression is longer than ${expressionLengthMax} characters` }
  let depth = 0
  for (let offset = 0; offset < text.length; offset += 1) {
    const character = text[offset]
    if (character === '(' || character === '[' || character === '{') depth += 1
    if (character === ')' || character === ']' || character === '}') depth -= 1
    if (depth > depthMax) return { offset, message: `brackets are nested deeper than ${depthMax}` }
  }
  return undefined
}

function parseCondition(
  text: string,
):
  | { readonly kind: 'fault'; readonly fault: ConditionFault }
  | { readonly kind: 'parsed'; readonly expression: Expression; readonly positions: Readonly<Record<string, number>> } {
  try {
    const { expr, sourceInfo } = parse(text)
    return { kind: 'parsed', expression: expr, positions: sourceInfo?.positions ?? {} }
  } catch (error) {
    return { kind: 'fault', fault: syntaxFault(error) }
  }
}

/** The library's error carries a place and a message that begins with it; anything else it throws (too deep a recursion) has neither. */
function syntaxFault(error: unknown): ConditionFault {
  const message = error instanceof Error ? error.message.replace(/^<input>:\d+:\d+: /, '') : 'not an expression'
  return { offset: offsetOf(error), message: `not a CEL expression: ${message}` }
}

function offsetOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('location' in error)) return 0
  const { location } = error
  if (typeof location !== 'object' || location === null || !('start' in location)) return 0
  const { start } = location
  return typeof start === 'object' && start !== null && 'offset' in start && typeof start.offset === 'number' ? start.offset : 0
}
