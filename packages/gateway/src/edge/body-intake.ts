import { LengthDecoder } from './body-decoder.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import { never, type CoarseTime } from './coarse-time.ts'
import type { HeadFields } from './head-fields.ts'
import type { BodyError } from './inbound.ts'
import { IncomingBody, type BodySource } from './incoming-body.ts'
import type { EdgeLimits } from './limits.ts'

/**
 * The body that is arriving on a connection, with its deadline. The deadline runs only while it is the caller we wait for: not while the body is held back
 * because its reader lags, and not before `100 Continue`.
 */
export class BodyIntake implements BodySource {
  readonly #limits: EdgeLimits
  readonly #time: CoarseTime
  readonly #sendContinue: () => void
  readonly #steer: () => void
  #body: IncomingBody | undefined
  #expectsContinue = false
  #isHeld = false
  #due = never
  #leftMs = 0

  constructor(limits: EdgeLimits, time: CoarseTime, sendContinue: () => void, steer: () => void) {
    this.#limits = limits
    this.#time = time
    this.#sendContinue = sendContinue
    this.#steer = steer
  }

  /** A body has begun and its end has not come. */
  get isArriving(): boolean {
    return this.#body !== undefined
  }

  /** The socket must not be read. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  get failure(): BodyError | undefined {
    return this.#body?.failure
  }

  /** Whether the rest is short and certain to come. A caller that still waits for `100 Continue` may never send it. */
  get canBeSkipped(): boolean {
    const body = this.#body
    if (!body) return true
    return !body.failure && !this.#expectsContinue && body.length !== undefined && body.length <= this.#limits.unreadBodyBytes
  }

  open({ framing, expectsContinue }: HeadFields): IncomingBody | undefined {
    if (framing.kind === 'none') return undefined
    const decoder = framing.kind === 'length' ? new LengthDecoder(framing.length) : new ChunkedDecoder(this.#limits.bodyBytes)
    this.#body = new IncomingBody(decoder, this, this.#limits.bodyBufferBytes)
    this.#expectsContinue = expectsContinue
    this.#leftMs = this.#limits.bodyMs
    this.#due = expectsContinue ? never : this.#time.after(this.#leftMs)
    return this.#body
  }

  /** Takes what belongs to the body and returns where it ended. Behind a body that broke nothing can be told apart any more: all bytes are taken. */
  receive(bytes: Buffer): number {
    const body = this.#body
    if (!body) return 0
    if (body.failure) return bytes.length
    if (bytes.length > 0) this.#start()
    const end = body.receive(bytes, 0)
    if (body.failure) {
      this.#due = never
      return bytes.length
    }
    if (body.isComplete) this.drop()
    return end
  }

  /** True once the caller is late; the body has then failed. */
  expire(nowMs: number): boolean {
    if (this.#due > nowMs) return false
    this.#due = never
    this.#body?.fail('edge.timeout', 'the body did not arrive in time')
    return true
  }

  fail(reason: string): void {
    this.#due = never
    this.#body?.fail('edge.malformed', reason)
  }

  /** The exchange is over and nobody will read the rest. */
  discard(): void {
    this.#body?.discard()
  }

  /** Forgets the body; what was received of it can still be read. */
  drop(): void {
    this.#body = undefined
    this.#due = never
    this.#expectsContinue = false
  }

  begin(): void {
    if (this.#start()) this.#sendContinue()
  }

  hold(): void {
    this.#isHeld = true
    this.#leftMs = Math.max(0, this.#due - this.#time.nowMs)
    this.#due = never
    this.#steer()
  }

  resume(): void {
    this.#isHeld = false
    if (this.#body && !this.#body.failure) this.#due = this.#time.after(this.#leftMs)
    this.#steer()
  }

  /** From here on the caller is the one who is late. True when it was still waiting for our word. */
  #start(): boolean {
    if (!this.#expectsContinue) return false
    this.#expectsContinue = false
    this.#due = this.#time.after(this.#leftMs)
    return true
  }
}
