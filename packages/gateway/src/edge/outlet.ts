import type { Socket } from 'node:net'
import { never, type CoarseTime } from './coarse-time.ts'

/** The writing side of one connection: few system calls, bounded memory, a deadline for callers that do not read. */
export class Outlet {
  readonly #socket: Socket
  readonly #time: CoarseTime
  readonly #writeStallMs: number
  #isGathering = false
  #wake: (() => void) | undefined
  #onGone: (() => void) | undefined
  #isGone = false
  #stallDue = never

  constructor(socket: Socket, time: CoarseTime, writeStallMs: number) {
    this.#socket = socket
    this.#time = time
    this.#writeStallMs = writeStallMs
    socket.on('drain', () => this.#proceed())
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** When the caller must have made room; `never` while nobody waits for it. */
  get stallDue(): number {
    return this.#stallDue
  }

  /** Hands bytes to the socket. False: wait for `room` before the next ones. Bytes for a socket that is gone are dropped. */
  write(bytes: Uint8Array): boolean {
    return this.#isGone || this.#socket.write(bytes)
  }

  /** Sends what is written from now until the event loop turns, or until `flush`, as one. */
  gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    this.#socket.cork()
    setImmediate(flushOutlet, this)
  }

  flush(): void {
    if (!this.#isGathering) return
    this.#isGathering = false
    this.#socket.uncork()
  }

  /** Resolves when the socket has room again or is gone. */
  async room(): Promise<void> {
    this.flush()
    if (this.#isGone || !this.#socket.writableNeedDrain) return
    this.#stallDue = this.#time.after(this.#writeStallMs)
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  /** Calls back once if the caller goes away before `whenGone(undefined)`. */
  whenGone(callback: (() => void) | undefined): void {
    this.#onGone = callback
  }

  /** For the connection alone. */
  leave(): void {
    this.#isGone = true
    this.#proceed()
    const callback = this.#onGone
    this.#onGone = undefined
    callback?.()
  }

  #proceed(): void {
    this.#stallDue = never
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

function flushOutlet(outlet: Outlet): void {
  outlet.flush()
}
