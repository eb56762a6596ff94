import type { Json, JsonObject } from '@sallyport/contract'
import { isJsonArray } from '../../access/mcp/json-rpc.ts'
import { contextMax } from '../detect/detector.ts'
import { scan } from '../detect/scan.ts'
import { applyEdits, treatFindings, type Redacting } from './redact-text.ts'

/** Something in the value is denied. */
export class DeniedValue extends Error {}

/**
 * A JSON value without what is found in its strings, numbers and member names; the same value when nothing is. A number becomes a string.
 *
 * @throws DeniedValue
 */
export function redactJson(value: Json, screening: Redacting): Json {
  return redact(value, '', screening)
}

/** `name` stands before the value, since keys are told by what they are called. */
function redact(value: Json, name: string, screening: Redacting): Json {
  if (typeof value === 'string') return redactText(value, name, screening)
  if (typeof value === 'number') {
    const written = String(value)
    const redacted = redactText(written, name, screening)
    return redacted === written ? value : redacted
  }
  if (typeof value !== 'object' || value === null) return value
  return isJsonArray(value) ? redactList(value, name, screening) : redactObject(value, screening)
}

function redactList(list: readonly Json[], name: string, screening: Redacting): readonly Json[] {
  const redacted = list.map((element) => redact(element, name, screening))
  return redacted.some((element, index) => element !== list[index]) ? redacted : list
}

function redactObject(object: JsonObject, screening: Redacting): JsonObject {
  const members = Object.entries(object).map(([name, value]) => [redactText(name, '', screening), redact(value, name, screening)] as const)
  if (members.every(([name, value]) => Object.hasOwn(object, name) && object[name] === value)) return object
  const redacted = new Map<string, Json>()
  // Two names can become one; nothing may be lost by that.
  for (const [name, value] of members) redacted.set(redacted.has(name) ? `${name} ${redacted.size}` : name, value)
  return Object.fromEntries(redacted)
}

function redactText(text: string, name: string, screening: Redacting): string {
  const context = name === '' ? '' : `${name.slice(-contextMax)}: `
  const { findings } = scan(context + text, context.length, true, screening.detectors)
  if (findings.length === 0) return text
  const { isDenied, edits } = treatFindings(findings, screening)
  if (isDenied) throw new DeniedValue()
  return applyEdits(context + text, edits).slice(context.length)
}
