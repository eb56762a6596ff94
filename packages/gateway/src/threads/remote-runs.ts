import { refused } from '@sallyport/contract'
import type { HeardFromRun, RunDoor, RunHeard } from '../run-register.ts'
import type { FromLedger, ToLedger } from './ledger-messages.ts'

/** The register of runs, from a data-plane thread. While the ledger's thread is gone nothing is recorded; what was on its way may be in the log, and is asked again. */
export class RemoteRuns implements RunDoor {
  readonly #newId: () => number
  readonly #waiting = new Map<number, (heard: RunHeard) => void>()
  #say: ((message: ToLedger) => void) | undefined

  constructor(newId: () => number) {
    this.#newId = newId
  }

  /** From now on the ledger hears what `say` is given. */
  attach(say: (message: ToLedger) => void): void {
    this.#say = say
  }

  /** The ledger is gone. */
  detach(): void {
    this.#say = undefined
    for (const resolve of this.#waiting.values()) resolve(gone)
    this.#waiting.clear()
  }

  answer({ id, answer }: Extract<FromLedger, { kind: 'run-heard' }>): void {
    this.#waiting.get(id)?.(answer)
    this.#waiting.delete(id)
  }

  async hear(heard: HeardFromRun): Promise<RunHeard> {
    if (!this.#say) return gone
    const id = this.#newId()
    const { promise, resolve } = Promise.withResolvers<RunHeard>()
    this.#waiting.set(id, resolve)
    this.#say({ kind: 'run', id, heard })
    return promise
  }
}

const gone = refused('audit.unavailable', 'the ledger is being recovered', { retryAfterSeconds: 1 })
