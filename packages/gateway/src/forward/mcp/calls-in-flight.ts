import type { JsonRpcId } from '../../access/access-request.ts'
import type { Principal } from '../../identity/identify.ts'

/** Calls that can be cancelled at once; past it a call runs, but only ends with its connection. */
const callsMax = 16_384

/** Calls at the aggregated endpoint, so that a cancellation there finds the upstream that has the call. */
export class CallsInFlight {
  readonly #calls = new Map<string, () => Promise<void>>()
  readonly #elsewhere: (key: string) => void

  /** `elsewhere` hears of calls to cancel that are not here: another thread may have them. */
  constructor(elsewhere: (key: string) => void = () => undefined) {
    this.#elsewhere = elsewhere
  }

  /** Gives the function that takes the call off the list again. */
  add(principal: Principal, session: string, id: JsonRpcId, cancel: () => Promise<void>): () => void {
    const key = keyOf(principal, session, id)
    if (this.#calls.size >= callsMax || this.#calls.has(key)) return () => undefined
    this.#calls.set(key, cancel)
    return () => this.#calls.delete(key)
  }

  /** Resolves when the upstream has been told, as far as it can be. */
  async cancel(principal: Principal, session: string, id: JsonRpcId): Promise<void> {
    const key = keyOf(principal, session, id)
    if (this.#calls.has(key)) await this.cancelHere(key)
    else this.#elsewhere(key)
  }

  async cancelHere(key: string): Promise<void> {
    await this.#calls.get(key)?.()
  }
}

function keyOf({ id: agent }: Principal, session: string, id: JsonRpcId): string {
  return JSON.stringify([agent, session, id])
}
