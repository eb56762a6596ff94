import type { Pause } from './deadline.ts'
import type { Verdict } from './gate.ts'

type Held = Extract<Verdict, { kind: 'wait' }>

/** The first look at what another node does, and the longest pause between two. */
const firstLookMs = 50
const lookMsMax = 1000

/**
 * One turn of a wait: until the flight of this node has ended, or for a short while. Whoever waited goes through the gate again, whatever they waited for.
 *
 * @returns false, at once, when nothing can change before the deadline
 */
export async function waitTurn(pause: Pause, held: Held, flight: Promise<void> | undefined, turn: number, leftMs: number): Promise<boolean> {
  if (leftMs <= 0 || (held.isQuarantined && held.heldForMs >= leftMs)) return false
  const done = new AbortController()
  const looked = pause(Math.min(leftMs, held.heldForMs, flight ? leftMs : Math.min(firstLookMs * 2 ** Math.min(turn, 10), lookMsMax)), done.signal)
  await Promise.race([looked, ...(flight ? [flight] : [])])
  done.abort()
  return true
}
