/** Header fields in the order they came: names in lower case, values without surrounding white space. */
export type HeaderLines = readonly (readonly [name: string, value: string])[]

/** The first value of a header, or undefined. `name` is in lower case. */
export function headerValue(headers: HeaderLines, name: string): string | undefined {
  return headers.find(([candidate]) => candidate === name)?.[1]
}

/** One TLS 1.3 connection whose client certificate chains to a trusted root. The object lives as long as the socket, so stages may key caches by it. */
export interface Connection {
  /** The leaf certificate as DER. */
  readonly certificate: Uint8Array
  /** The SHA-256 fingerprints (base64url) of the chain above the leaf, root last. */
  readonly issuers: readonly string[]
  readonly remoteAddress: string
}

/** A request body. It can be read once; reading past the edge's limit or deadline throws `BodyError`. */
export interface InboundBody {
  /** From Content-Length; absent for a chunked body. */
  readonly length: number | undefined
  read(): AsyncIterable<Uint8Array>
}

/** One request after one strict parse. */
export interface Inbound {
  /** A fresh UUID, also the `instance` of any problem answered. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  readonly connection: Connection
  /** An upper-case token of RFC 9110 section 9. */
  readonly method: string
  /** Origin-form path: starts with a slash, percent-encoding kept, no dot segment (encoded or not), no empty segment but the last, no NUL. May hold `%2F`; access decides. */
  readonly path: string
  /** Without the question mark; empty if there is none. */
  readonly query: string
  readonly headers: HeaderLines
  readonly body: InboundBody | undefined
  /** Aborts when the caller goes away or the gateway gives up on the connection. */
  readonly signal: AbortSignal
}

/** What goes back to the caller. An iterable body is written piece by piece with backpressure and cancelled when the caller goes away. */
export interface Answer {
  readonly status: number
  /** Without framing headers (content-length, transfer-encoding, connection): the edge writes those. */
  readonly headers: HeaderLines
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
  /** The length of an iterable body where it is known: the answer announces it. A body that turns out longer or shorter breaks the answer off, and the connection with it. */
  readonly bodyBytes?: number | undefined
}

/** The body did not arrive as announced: thrown by `InboundBody.read`. */
export class BodyError extends Error {
  readonly code: 'edge.malformed' | 'edge.too-large' | 'edge.timeout'

  constructor(code: BodyError['code'], message: string) {
    super(message)
    this.name = 'BodyError'
    this.code = code
  }
}
