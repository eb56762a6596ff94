import type { RefusalEvent } from '@sallyport/contract'
import type { OpenPermit } from '../audit/entries.ts'
import type { OutcomeFacts } from '../audit/outcome.ts'
import type { SeenTools, SightOwner, SightSource } from '../forward/mcp/tool-sight.ts'
import type { Asked, Verdict } from '../ledger.ts'
import type { Grounds } from '../policy/decision.ts'
import type { HeardFromRun, RunHeard } from '../run-register.ts'

/** What a data-plane thread says to the ledger. */
export type ToLedger =
  | { readonly kind: 'ask'; readonly id: number; readonly revision: string; readonly asked: Asked }
  | { readonly kind: 'conclude'; readonly permit: OpenPermit; readonly facts: OutcomeFacts; readonly startedAt: number }
  | { readonly kind: 'record'; readonly entry: RefusalEvent }
  | { readonly kind: 'run'; readonly id: number; readonly heard: HeardFromRun }
  | { readonly kind: 'look'; readonly id: number; readonly source: SightSource }
  | { readonly kind: 'see'; readonly id: number; readonly source: SightSource; readonly seen: SeenTools }
  | { readonly kind: 'tools-may-have-changed' | 'tools-changed'; readonly owner: SightOwner }
  /** Answered once everything said before has its entry or has failed. */
  | { readonly kind: 'flush'; readonly id: number }

/** What the ledger answers. A permit is without its proof, which does not cross threads; who gets it makes it anew. */
export type FromLedger =
  | { readonly kind: 'refused'; readonly id: number; readonly verdict: Extract<Verdict, { readonly kind: 'deny' | 'hold' }> }
  | { readonly kind: 'permitted'; readonly id: number; readonly index: number; readonly grounds: Grounds; readonly approval: string | undefined }
  | { readonly kind: 'list-first'; readonly id: number }
  | { readonly kind: 'run-heard'; readonly id: number; readonly answer: RunHeard }
  | { readonly kind: 'looked'; readonly id: number; readonly isFresh: boolean; readonly changes: number }
  | { readonly kind: 'saw'; readonly id: number; readonly offered: readonly string[] }
  | { readonly kind: 'not-seen'; readonly id: number; readonly message: string }
  /** Said unasked. */
  | { readonly kind: 'announced'; readonly owner: SightOwner }
  | { readonly kind: 'flushed'; readonly id: number }

/** Gathers what is said in one turn of the event loop into one message: a hop costs more than what it carries. */
export class Batch<Message> {
  readonly #send: (messages: readonly Message[]) => void
  #waiting: Message[] = []

  constructor(send: (messages: readonly Message[]) => void) {
    this.#send = send
  }

  add(message: Message): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#flush())
    this.#waiting.push(message)
  }

  #flush(): void {
    const messages = this.#waiting
    this.#waiting = []
    this.#send(messages)
  }
}
