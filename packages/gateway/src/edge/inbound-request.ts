import type { Head } from './head-parser.ts'
import type { Connection, HeaderLines, Inbound, InboundBody } from './inbound.ts'

/** A parsed request. Its abort signal is made only if somebody asks for it, since most calls end before anyone needs one. */
export class InboundRequest implements Inbound {
  readonly id: string
  readonly receivedAt: number
  readonly connection: Connection
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: HeaderLines
  readonly body: InboundBody | undefined
  #controller: AbortController | undefined
  #isAbandoned = false

  constructor(id: string, receivedAt: number, connection: Connection, head: Head, body: InboundBody | undefined) {
    this.id = id
    this.receivedAt = receivedAt
    this.connection = connection
    this.method = head.method
    this.path = head.path
    this.query = head.query
    this.headers = head.headers
    this.body = body
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isAbandoned) this.#controller.abort()
    return this.#controller.signal
  }

  /** For the connection alone: the caller is gone. */
  abandon(): void {
    this.#isAbandoned = true
    this.#controller?.abort()
  }
}
