import { logEvent, type LogEvent } from '../events.ts'
import { canonicalJson, parseJson } from '../json.ts'
import { RunCheck } from './run-check.ts'
import { entryBytesMax } from './tile.ts'

/** Permits without an outcome that are remembered; the outcomes of older ones are not checked. */
export const openPermitsMax = 1_000_000

const entryLimits = { bytesMax: entryBytesMax, depthMax: 16 }

export interface EntryFlaw {
  readonly check: 'entry-malformed' | 'time-reversed' | 'outcome-unpaired' | 'records-unordered'
  readonly text: string
}

export type ReadEntry =
  | { readonly kind: 'flawed'; readonly reason: string }
  /** Well-formed, but of a type or with members that this version does not know. */
  | { readonly kind: 'newer'; readonly time: string; readonly type: string | undefined }
  | { readonly kind: 'event'; readonly event: LogEvent }

/** Reads one entry: canonical JSON that fits the schema of its type. */
export function readEntry(bytes: Uint8Array): ReadEntry {
  const parsed = parseJson(bytes, entryLimits)
  if (parsed.kind === 'refused') return { kind: 'flawed', reason: parsed.reason }
  if (canonicalJson(parsed.value) !== new TextDecoder().decode(bytes)) return { kind: 'flawed', reason: 'it is not canonical JSON (RFC 8785)' }
  const result = logEvent.safeParse(parsed.value)
  if (result.success) return { kind: 'event', event: result.data }
  const { value } = parsed
  const time = typeof value === 'object' && value !== null && 'time' in value ? value['time'] : undefined
  const type = typeof value === 'object' && value !== null && 'type' in value ? value['type'] : undefined
  const isNewer = result.error.issues.every(({ code, path }) => code === 'unrecognized_keys' || (code === 'invalid_union' && path[0] === 'type'))
  if (isNewer && typeof time === 'string' && isEntryTime(time)) return { kind: 'newer', time, type: typeof type === 'string' ? type : undefined }
  const [issue] = result.error.issues
  return { kind: 'flawed', reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it fits no schema'}` }
}

/** Judges what the entries say, in their order: each is well-formed, time does not run backwards, every outcome belongs to one permit, the numbers of each agent's records follow. */
export class EntryCheck {
  /** By index, the request of each; undefined for an entry that may be a permit, but of a version that this one cannot read. */
  readonly #openPermits = new Map<number, string | undefined>()
  /** Of these, how many are undefined. */
  #unread = 0
  #pairedFrom = 0
  readonly #runs = new RunCheck()
  #firstTime: string | undefined
  #lastTime: string | undefined
  #newer = 0

  get firstTime(): string | undefined {
    return this.#firstTime
  }

  get lastTime(): string | undefined {
    return this.#lastTime
  }

  /** Permitted calls whose outcome has not been written (yet). */
  get unanswered(): number {
    return this.#openPermits.size - this.#unread
  }

  get newer(): number {
    return this.#newer
  }

  take(index: number, bytes: Uint8Array): EntryFlaw | undefined {
    const entry = readEntry(bytes)
    if (entry.kind === 'flawed') return { check: 'entry-malformed', text: `entry ${index} is not a well-formed event: ${entry.reason}` }
    const time = entry.kind === 'event' ? entry.event.time : entry.time
    if (this.#lastTime !== undefined && time < this.#lastTime) {
      return { check: 'time-reversed', text: `entry ${index} is dated ${time}, before the entry in front of it (${this.#lastTime})` }
    }
    this.#firstTime ??= time
    this.#lastTime = time
    if (entry.kind === 'newer') {
      this.#newer += 1
      this.#remember(index, undefined)
      if (entry.type === 'record' || entry.type === 'runtime') this.#runs.forget()
      return undefined
    }
    const { event } = entry
    if (event.type !== 'record' && event.type !== 'runtime') return this.#pair(index, event)
    const objection = this.#runs.take(event)
    return objection === undefined ? undefined : { check: 'records-unordered', text: `entry ${index} ${objection}` }
  }

  #pair(index: number, event: LogEvent): EntryFlaw | undefined {
    if (event.type === 'decision' && event.decision === 'permit') this.#remember(index, event.request)
    if (event.type !== 'outcome' || event.decision < this.#pairedFrom) return undefined
    const request = this.#openPermits.get(event.decision) ?? event.request
    if (!this.#openPermits.has(event.decision) || request !== event.request) {
      return {
        check: 'outcome-unpaired',
        text: `entry ${index} tells the outcome of entry ${event.decision}, which is no permit of that request or has its outcome already`,
      }
    }
    this.#forget(event.decision)
    return undefined
  }

  #remember(index: number, request: string | undefined): void {
    this.#openPermits.set(index, request)
    if (request === undefined) this.#unread += 1
    if (this.#openPermits.size <= openPermitsMax) return
    const [oldest] = this.#openPermits.keys()
    if (oldest === undefined) return
    this.#forget(oldest)
    this.#pairedFrom = oldest + 1
  }

  #forget(index: number): void {
    if (this.#openPermits.get(index) === undefined) this.#unread -= 1
    this.#openPermits.delete(index)
  }
}

function isEntryTime(text: string): boolean {
  // A month 13 would stand between two years in the order of texts.
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text
}
