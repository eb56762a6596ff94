import { Fault } from '@sallyport/contract'
import { ToolWatchers, type SeenTools, type SightOwner, type SightSource, type ToolSight } from '../forward/mcp/tool-sight.ts'
import type { FromLedger, ToLedger } from './ledger-messages.ts'

type Answer = Extract<FromLedger, { kind: 'saw' | 'not-seen' | 'looked' }>

/**
 * The register of tools, from a data-plane thread. What is said of tools reaches the ledger before a call that is asked after it. While the ledger's thread is
 * gone, nothing can be seen, and so nothing is shown.
 */
export class RemoteToolSight implements ToolSight {
  readonly #newId: () => number
  readonly #waiting = new Map<number, { readonly resolve: (answer: Answer) => void; readonly reject: (fault: Fault) => void }>()
  readonly #watchers = new ToolWatchers()
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
    for (const { reject } of this.#waiting.values()) reject(gone())
    this.#waiting.clear()
  }

  hear(message: Answer | Extract<FromLedger, { kind: 'announced' }>): void {
    if (message.kind === 'announced') return this.#watchers.tell(message.owner)
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    waiting?.resolve(message)
  }

  async look(source: SightSource): Promise<{ readonly isFresh: boolean; readonly changes: number }> {
    const answer = await this.#ask({ kind: 'look', id: this.#newId(), source })
    if (answer.kind !== 'looked') throw new TypeError('the ledger answered another question')
    return answer
  }

  async see(source: SightSource, seen: SeenTools): Promise<ReadonlySet<string>> {
    const answer = await this.#ask({ kind: 'see', id: this.#newId(), source, seen })
    if (answer.kind === 'not-seen') throw new Fault(answer.message, 'unknown')
    if (answer.kind !== 'saw') throw new TypeError('the ledger answered another question')
    return new Set(answer.offered)
  }

  mayHaveChanged(owner: SightOwner): void {
    this.#say?.({ kind: 'tools-may-have-changed', owner })
  }

  announce(owner: SightOwner): void {
    this.#say?.({ kind: 'tools-changed', owner })
  }

  watch(owner: SightOwner, tell: () => void): () => void {
    return this.#watchers.watch(owner, tell)
  }

  #ask(message: Extract<ToLedger, { kind: 'see' | 'look' }>): Promise<Answer> {
    if (!this.#say) return Promise.reject(gone())
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#waiting.set(message.id, { resolve, reject })
    this.#say(message)
    return promise
  }
}

function gone(): Fault {
  return new Fault('the ledger is being recovered', 'not-done')
}
