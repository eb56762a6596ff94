import type { JsonRpcMessage } from '../../access/access-request.ts'

/**
 * Messages on their way from a child to one reader, at most `bytesMax` of them waiting: past it, notifications are dropped, since they may be, and a response
 * never is.
 */
export class MessageQueue implements AsyncIterable<JsonRpcMessage> {
  readonly #bytesMax: number
  readonly #onLeave: () => void
  readonly #waiting: { readonly message: JsonRpcMessage; readonly bytes: number }[] = []
  #bytes = 0
  #end: { readonly fault: Error | undefined } | undefined
  #wake: (() => void) | undefined
  #hasLeft = false

  /** `onLeave` is called once: when it is finished, or the reader stops before. */
  constructor(bytesMax: number, onLeave: () => void) {
    this.#bytesMax = bytesMax
    this.#onLeave = onLeave
  }

  push(message: JsonRpcMessage, bytes: number): void {
    if (this.#end || (message.kind === 'notification' && this.#bytes + bytes > this.#bytesMax)) return
    this.#waiting.push({ message, bytes })
    this.#bytes += bytes
    this.#wake?.()
  }

  /** No more messages; what waits is still read, then `fault` is thrown if there is one. */
  finish(fault?: Error): void {
    this.#end ??= { fault }
    this.#wake?.()
    this.#leave() // a reader that is slow, or never came, is not waited for
  }

  #leave(): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#onLeave()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JsonRpcMessage> {
    try {
      for (;;) {
        const next = this.#waiting.shift()
        if (next) {
          this.#bytes -= next.bytes
          yield next.message
        } else if (this.#end) {
          if (this.#end.fault) throw this.#end.fault
          return
        } else {
          const { promise, resolve } = Promise.withResolvers<void>()
          this.#wake = resolve
          await promise
          this.#wake = undefined
        }
      }
    } finally {
      this.#leave()
    }
  }
}
