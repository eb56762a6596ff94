import { InvalidArgumentError } from 'commander'

const dayMs = 86_400_000

/** Reads an option that is a day or a moment, as milliseconds since the epoch. Where a day is an end it counts to its last millisecond. */
export function moment(day: 'begins' | 'ends'): (text: string) => number {
  return (text) => {
    const isDay = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)
    // Without an offset a time would be read by the clock of the reader's place.
    const isMoment = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text)
    const at = isDay || isMoment ? Date.parse(text) : Number.NaN
    if (Number.isNaN(at)) throw new InvalidArgumentError('Write a day (2026-11-01) or a moment with its offset (2026-11-01T08:00:00Z).')
    return isDay && day === 'ends' ? at + dayMs - 1 : at
  }
}
