import { setTimeout } from 'node:timers/promises'
import type { Pause } from '../control/sessions/deadline.ts'

/** Real time. A pause keeps no process alive. */
export const timerPause: Pause = async (milliseconds, signal) => {
  try {
    await setTimeout(milliseconds, undefined, { ref: false, ...(signal && { signal }) })
  } catch {
    // It was cut short, as asked.
  }
}
