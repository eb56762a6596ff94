import type { Clock } from '../link/clock.ts'
import type { RecordChannel } from './record-channel.ts'

/** Refusals of one kind in a minute that are recorded one by one. */
export const refusedSinglyMax = 3
const windowMs = 60_000

/** Records which clients the bridge turned away. */
export interface RefusedClients {
  see(code: string, origin: string | undefined): void
  close(): void
}

/**
 * The first few of a kind are recorded, and then how many more there were in the minute: whoever knocks at the bridge without end fills neither the channel nor the log.
 */
export function refusedClients(channel: Pick<RecordChannel, 'note'>, clock: Pick<Clock, 'after'>): RefusedClients {
  const windows = new Map<string, { seen: number; readonly end: () => void; readonly cancel: () => void }>()
  const open = (code: string): { seen: number } => {
    const end = (): void => {
      windows.delete(code)
      if (window.seen > refusedSinglyMax) channel.note({ kind: 'client.refused', facts: { code, count: window.seen - refusedSinglyMax } })
    }
    const window = { seen: 0, end, cancel: clock.after(windowMs, end) }
    windows.set(code, window)
    return window
  }
  return {
    see: (code, origin) => {
      const window = windows.get(code) ?? open(code)
      window.seen += 1
      if (window.seen <= refusedSinglyMax) channel.note({ kind: 'client.refused', facts: { code, ...(origin !== undefined && { origin }) } })
    },
    close: () => {
      for (const { cancel, end } of windows.values()) {
        cancel()
        end()
      }
    },
  }
}
