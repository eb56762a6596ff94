import { duration, durationMs } from '@sallyport/contract'
import { InvalidArgumentError } from 'commander'

/** A day, a time to the minute, second or millisecond, in UTC or with an offset from it. */
const written = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?$/

/** Reads a time, or how long ago it was, into the form of the entries. A time without an offset is in UTC. */
export function readMoment(text: string, nowMs: number): string {
  if (duration.safeParse(text).success) return new Date(nowMs - durationMs(text)).toISOString()
  const isZoned = /T.*(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text)
  const ms = written.test(text) ? Date.parse(isZoned || !text.includes('T') ? text : `${text}Z`) : Number.NaN
  // A year outside of four digits would stand elsewhere in the order of texts.
  if (Number.isNaN(ms) || ms < 0 || ms > Date.UTC(9999, 11, 31))
    throw new InvalidArgumentError('Write a day or a time in UTC, such as 2026-11-25T14:00Z, or how long ago: 30m, 2h, 7d.')
  return new Date(ms).toISOString()
}
