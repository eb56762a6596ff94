import { duration, durationMs } from '@sallyport/contract'
import { InvalidArgumentError } from 'commander'

const dayMs = 86_400_000
const lastDay = Date.UTC(9999, 11, 31)

/**
 * Reads an option that is a day, a moment, or how long ago it was, as milliseconds since the epoch. A day is one of UTC; where it is an end it counts to its last
 * millisecond.
 */
export function moment(day: 'begins' | 'ends', now: () => number = Date.now): (text: string) => number {
  return (text) => {
    const isDay = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)
    // Without an offset a time would be read by the clock of the reader's place.
    const isMoment = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text)
    const at = duration.safeParse(text).success ? now() - durationMs(text) : isDay || isMoment ? Date.parse(text) : Number.NaN
    // A year outside of four digits would stand elsewhere in the order of texts.
    if (!(at >= 0 && at <= lastDay))
      throw new InvalidArgumentError('Write a day (2026-11-01), a moment with its offset (2026-11-01T08:00:00Z), or how long ago it was (30m, 2h, 7d).')
    return isDay && day === 'ends' ? at + dayMs - 1 : at
  }
}
