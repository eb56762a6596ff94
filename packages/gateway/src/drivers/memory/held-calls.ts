import { Fault } from '@sallyport/contract'
import type { HeldCall, HeldCalls } from '../../ledger.ts'

/** Held calls whose arguments are kept at once. */
export const heldCallsMax = 4096

/**
 * Keeps the arguments of held calls in memory alone: they are on no disk, and after a restart a held call must be asked again.
 */
export class MemoryHeldCalls implements HeldCalls {
  readonly #now: () => number
  readonly #calls = new Map<string, { readonly call: HeldCall; readonly expiresAt: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  async keep(approval: string, call: HeldCall, expiresAt: number): Promise<void> {
    for (const [id, held] of this.#calls) if (held.expiresAt <= this.#now()) this.#calls.delete(id)
    if (this.#calls.size >= heldCallsMax) throw new Fault('too many held calls are waiting', 'not-done')
    this.#calls.set(approval, { call, expiresAt })
  }

  /** The call that a person is asked about, or undefined when it is not known here any more. */
  find(approval: string): HeldCall | undefined {
    const held = this.#calls.get(approval)
    return held && held.expiresAt > this.#now() ? held.call : undefined
  }
}
