import { Fault } from '@sallyport/contract'
import type { Payloads, SealedPayload } from '../../audit/payload.ts'
import { InOrder } from '../in-order.ts'
import { agentMark, tenantMark, type PayloadFiles, type StoredPayload } from './payload-files.ts'

export interface PayloadLimits {
  readonly bytes: number
  readonly agentBytes: number
}

/** Payloads that are kept at once, whatever their size: each is known in memory. */
export const payloadsMax = 500_000
/** And of one agent: small ones use up their number before they use up their room. */
export const payloadsOfAgentMax = payloadsMax / 4
/** A file takes up whole blocks of the disk. */
const blockBytes = 4096
/** Written side by side: the threads that write files serve the log too. */
const lanes = 2

/** Knows what is kept, and keeps no more than it may. */
export class PayloadStore implements Payloads {
  readonly #files: PayloadFiles
  readonly #limits: () => PayloadLimits
  readonly #stored = new Map<string, StoredPayload>()
  readonly #writing = new Map<string, Promise<void>>()
  /** To be destroyed: still counted, and read no more. */
  readonly #withdrawn = new Set<StoredPayload>()
  /** By the mark of the agent. */
  readonly #agents = new Map<string, { readonly payloads: number; readonly bytes: number }>()
  readonly #lanes = Array.from({ length: lanes }, () => new InOrder())
  #bytes = 0
  #turn = 0

  private constructor(files: PayloadFiles, limits: () => PayloadLimits) {
    this.#files = files
    this.#limits = limits
  }

  /** `limits` are asked at each payload. @throws Fault */
  static async open(files: PayloadFiles, limits: () => PayloadLimits): Promise<PayloadStore> {
    const store = new PayloadStore(files, limits)
    for (const payload of await files.list()) store.#add(payload)
    return store
  }

  /** @throws Fault also when it was erased meanwhile: then no entry may cite it */
  async keep({ cited, tenant, agent, capturedAt, bytes }: SealedPayload): Promise<'kept' | 'full'> {
    const payload = { digest: cited.digest, capturedAt, bytes: bytes.length, tenant: tenantMark(tenant), agent: agentMark(tenant, agent) }
    const limits = this.#limits()
    const more = occupied(payload)
    if (this.#stored.size >= payloadsMax || this.#bytes + more > limits.bytes) return 'full'
    const ofAgent = this.#ofAgent(payload)
    if (ofAgent.payloads >= payloadsOfAgentMax || ofAgent.bytes + more > limits.agentBytes) return 'full'
    this.#add(payload) // before it is there, so that no two take the same room
    const lane = this.#lanes[(this.#turn = (this.#turn + 1) % lanes)] ?? new InOrder()
    const writing = lane.run(() => this.#files.write(payload, bytes))
    this.#writing.set(payload.digest, writing)
    try {
      await writing
    } catch (fault) {
      await this.destroy([payload]).catch(() => undefined) // what is left counts, and is tried again
      throw fault
    } finally {
      this.#writing.delete(payload.digest)
    }
    if (!this.find(payload.digest)) throw new Fault('the arguments were erased while they were written', 'not-done')
    return 'kept'
  }

  async drop(digest: string): Promise<void> {
    const payload = this.#stored.get(digest)
    if (payload) await this.destroy([payload])
  }

  find(digest: string): StoredPayload | undefined {
    const payload = this.#stored.get(digest)
    return payload && !this.#withdrawn.has(payload) ? payload : undefined
  }

  /** Oldest first, as far as they are known in the order of their coming. */
  all(): readonly StoredPayload[] {
    return [...this.#stored.values()].filter((payload) => !this.#withdrawn.has(payload))
  }

  /** Withdrawn, and not destroyed yet. */
  withdrawn(): readonly StoredPayload[] {
    return [...this.#withdrawn]
  }

  /** @throws Fault `not-done` when it has vanished */
  async read(payload: StoredPayload): Promise<Uint8Array> {
    const bytes = this.find(payload.digest) && (await this.#files.read(payload))
    if (!bytes) throw new Fault('the payload has vanished from the data folder', 'not-done')
    return bytes
  }

  /** From now on they are found, read and told to be kept no more. */
  withdraw(payloads: readonly StoredPayload[]): void {
    for (const payload of payloads) if (this.#stored.get(payload.digest) === payload) this.#withdrawn.add(payload)
  }

  /** Withdrawn at once, durably destroyed when it resolves; those that are being written as soon as they are. @throws Fault when some of them are left */
  async destroy(payloads: readonly StoredPayload[]): Promise<void> {
    if (payloads.length === 0) return
    this.withdraw(payloads)
    await Promise.allSettled(payloads.flatMap(({ digest }) => this.#writing.get(digest) ?? []))
    const left = new Map((await this.#files.destroy(payloads)).map(({ payload, reason }) => [payload, reason]))
    for (const payload of payloads) if (!left.has(payload)) this.#remove(payload)
    for (const reason of left.values()) throw new Fault(`${left.size} of ${payloads.length} payloads cannot be destroyed: ${reason}`, 'unknown')
  }

  get status(): { readonly kept: number; readonly bytes: number } {
    return { kept: this.#stored.size, bytes: this.#bytes }
  }

  #add(payload: StoredPayload): void {
    this.#stored.set(payload.digest, payload)
    this.#count(payload, 1)
  }

  #remove(payload: StoredPayload): void {
    this.#withdrawn.delete(payload)
    if (this.#stored.delete(payload.digest)) this.#count(payload, -1)
  }

  #ofAgent({ agent }: StoredPayload): { readonly payloads: number; readonly bytes: number } {
    return this.#agents.get(agent) ?? { payloads: 0, bytes: 0 }
  }

  #count(payload: StoredPayload, sign: 1 | -1): void {
    const more = sign * occupied(payload)
    const { payloads, bytes } = this.#ofAgent(payload)
    this.#bytes += more
    if (payloads + sign === 0) this.#agents.delete(payload.agent)
    else this.#agents.set(payload.agent, { payloads: payloads + sign, bytes: bytes + more })
  }
}

function occupied({ bytes }: StoredPayload): number {
  return Math.ceil(bytes / blockBytes) * blockBytes
}
