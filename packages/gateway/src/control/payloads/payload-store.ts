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
/** A file takes up whole blocks of the disk. */
const blockBytes = 4096
/** Written side by side: the threads that write files serve the log too. */
const lanes = 2

/** Knows what is kept, and keeps no more than it may. */
export class PayloadStore implements Payloads {
  readonly #files: PayloadFiles
  readonly #limits: () => PayloadLimits
  readonly #stored = new Map<string, StoredPayload>()
  /** By the mark of the agent. */
  readonly #agentBytes = new Map<string, number>()
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

  async keep({ cited, tenant, agent, capturedAt, bytes }: SealedPayload): Promise<'kept' | 'full'> {
    const payload = { digest: cited.digest, capturedAt, bytes: bytes.length, tenant: tenantMark(tenant), agent: agentMark(tenant, agent) }
    const limits = this.#limits()
    const more = occupied(payload)
    if (this.#stored.size >= payloadsMax || this.#bytes + more > limits.bytes) return 'full'
    if ((this.#agentBytes.get(payload.agent) ?? 0) + more > limits.agentBytes) return 'full'
    this.#add(payload) // before it is there, so that no two take the same room
    const lane = this.#lanes[(this.#turn = (this.#turn + 1) % lanes)] ?? new InOrder()
    try {
      await lane.run(() => this.#files.write(payload, bytes))
      return 'kept'
    } catch (fault) {
      await this.destroy([payload]).catch(() => undefined) // what is left counts, until the next start finds that no entry cites it
      throw fault
    }
  }

  async drop(digest: string): Promise<void> {
    const payload = this.#stored.get(digest)
    if (payload) await this.destroy([payload])
  }

  find(digest: string): StoredPayload | undefined {
    return this.#stored.get(digest)
  }

  /** Oldest first, as far as they are known in the order of their coming. */
  all(): Iterable<StoredPayload> {
    return this.#stored.values()
  }

  /** @throws Fault `not-done` when it has vanished */
  async read(payload: StoredPayload): Promise<Uint8Array> {
    const bytes = await this.#files.read(payload)
    if (!bytes) throw new Fault('the payload has vanished from the data folder', 'not-done')
    return bytes
  }

  /** Durable when it resolves. @throws Fault */
  async destroy(payloads: readonly StoredPayload[]): Promise<void> {
    if (payloads.length === 0) return
    await this.#files.destroy(payloads)
    for (const payload of payloads) this.#remove(payload)
  }

  get status(): { readonly kept: number; readonly bytes: number } {
    return { kept: this.#stored.size, bytes: this.#bytes }
  }

  #add(payload: StoredPayload): void {
    this.#stored.set(payload.digest, payload)
    this.#count(payload.agent, occupied(payload))
  }

  #remove(payload: StoredPayload): void {
    if (this.#stored.delete(payload.digest)) this.#count(payload.agent, -occupied(payload))
  }

  #count(agent: string, bytes: number): void {
    this.#bytes += bytes
    const sum = (this.#agentBytes.get(agent) ?? 0) + bytes
    if (sum === 0) this.#agentBytes.delete(agent)
    else this.#agentBytes.set(agent, sum)
  }
}

function occupied({ bytes }: StoredPayload): number {
  return Math.ceil(bytes / blockBytes) * blockBytes
}
