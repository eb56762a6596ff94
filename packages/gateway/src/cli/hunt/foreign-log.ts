import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { pipeline } from 'node:stream'
import { Fault } from '@sallyport/contract'
import type { FieldPath, Mapping, Where } from './mapping.ts'
import type { Occurrence } from './unmatched.ts'

/** A refresh, with whose it was as far as the log says. */
export interface Refresh extends Occurrence {
  /** A file and a line. */
  readonly place: string
  readonly agent: string | undefined
}

/** What a hunt needs of logs. */
export interface Observed {
  readonly refreshes: Refresh[]
  readonly validations: Occurrence[]
  /** Lines in all. */
  lines: number
  /** Lines that are no JSON object, or that the mapping speaks of without a time. */
  unreadable: number
  /** Where the first of them are, and why. */
  readonly examples: string[]
  /** Refreshes that name no session: nothing can have validated those. */
  readonly withoutSession: string[]
}

/** Of one line, in bytes. */
const lineBytesMax = 1_048_576
/** Refreshes and validations that are held at once. */
const occurrencesMax = 5_000_000
const examplesMax = 10

export const nothingObserved = (): Observed => ({ refreshes: [], validations: [], lines: 0, unreadable: 0, examples: [], withoutSession: [] })

/** When it may have happened, in milliseconds since the epoch; both included. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Adds what a file of JSON Lines says to `observed`; `.gz` is unpacked. What cannot be read is counted, never passed over in silence.
 *
 * Refreshes count within the span, validations also as far before and after it as they may lie from a refresh.
 *
 * @throws Fault for a file that cannot be read, and for more than can be held
 */
export async function observeFile(observed: Observed, file: string, mapping: Mapping, span: Span): Promise<void> {
  let number = 0
  for await (const line of linesOf(file)) {
    number += 1
    if (line.trim() === '') continue
    observed.lines += 1
    const place = `${file}:${number}`
    const problem = observeLine(observed, line, place, mapping, span)
    if (problem === undefined) continue
    observed.unreadable += 1
    if (observed.examples.length < examplesMax) observed.examples.push(`${place}: ${problem}`)
  }
}

/** Says why a line cannot be read. */
function observeLine(observed: Observed, line: string, place: string, mapping: Mapping, { from, to }: Span): string | undefined {
  const value = parse(line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object'
  const isRefresh = fits(value, mapping.refresh)
  if (!isRefresh && !fits(value, mapping.validation)) return undefined
  const at = timeOf(fieldOf(value, mapping.time.field), mapping.time.format)
  if (at === undefined) return `no time of the format ${mapping.time.format} in ${mapping.time.field.join('.')}`
  const key = nameOf(fieldOf(value, mapping.session))
  if (isRefresh) {
    if (at < from || at > to) return undefined
    if (key === undefined) observed.withoutSession.push(place)
    else observed.refreshes.push({ at, key, place, agent: mapping.agent && nameOf(fieldOf(value, mapping.agent)) })
  } else if (key !== undefined && at >= from - mapping.within && at <= to + mapping.skew) observed.validations.push({ at, key })
  const held = observed.refreshes.length + observed.validations.length + observed.withoutSession.length
  if (held > occurrencesMax) throw new Fault(`more than ${occurrencesMax} refreshes and validations: hunt in a shorter time with --from and --to`, 'not-done')
  return undefined
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function fits(value: object, where: Where): boolean {
  return where.every(({ path, anyOf }) => {
    const field = fieldOf(value, path)
    return anyOf.some((wanted) => wanted === field)
  })
}

function fieldOf(value: unknown, path: FieldPath): unknown {
  let field = value
  for (const name of path) {
    if (typeof field !== 'object' || field === null || !Object.hasOwn(field, name)) return undefined
    field = (field as Readonly<Record<string, unknown>>)[name] // it has it
  }
  return field
}

function nameOf(field: unknown): string | undefined {
  if (typeof field === 'number') return String(field)
  return typeof field === 'string' && field !== '' ? field : undefined
}

function timeOf(field: unknown, format: Mapping['time']['format']): number | undefined {
  const number = typeof field === 'number' || (typeof field === 'string' && /^[0-9]{1,16}(?:\.[0-9]{1,9})?$/.test(field)) ? Number(field) : Number.NaN
  const at = { iso: isoTime(field), seconds: number * 1000, milliseconds: number }[format]
  return Number.isFinite(at) ? at : undefined
}

/** Without an offset a time would be read by the clock of the reader's place. */
function isoTime(field: unknown): number {
  return typeof field === 'string' && /(?:Z|[+-][0-9]{2}:?[0-9]{2})$/i.test(field) ? Date.parse(field) : Number.NaN
}

/** The lines of a file as text; one that is longer than its limit comes as a text that is no JSON. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const bytes = createReadStream(file)
  const stream = file.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => undefined) : bytes // an error also ends the loop below
  let held = ''
  let isTooLong = false
  const decoder = new TextDecoder()
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    const lines = (held + decoder.decode(piece, { stream: true })).split('\n')
    held = lines.pop() ?? ''
    for (const line of lines) {
      yield isTooLong ? tooLong : line
      isTooLong = false
    }
    if (held.length <= lineBytesMax) continue
    isTooLong = true
    held = ''
  }
  if (isTooLong || held !== '') yield isTooLong ? tooLong : held
}

const tooLong = 'too long'
