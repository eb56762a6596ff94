/** Every bound of the edge by name. Sizes in bytes, times in milliseconds. A time is kept to within a quarter of a second, never undercut. */
export interface EdgeLimits {
  /** Open sockets, those in their handshake included. One more is dropped as it is accepted. */
  readonly connections: number
  /** Open connections of one agent; where no certificate is asked for, that come from the same address. */
  readonly connectionsPerAgent: number
  /** Requests from their head to the last byte of their answer. One more is refused as `edge.overloaded`. */
  readonly requestsInFlight: number
  /** The same of one agent, over all its connections and certificates. */
  readonly requestsInFlightPerAgent: number

  /** The request line and all header lines together. */
  readonly headBytes: number
  readonly headerCount: number
  /** The target in the request line. */
  readonly targetBytes: number
  /** One header line. */
  readonly headerBytes: number
  /** A body, without its chunk framing. */
  readonly bodyBytes: number
  /** What is taken from the socket before the handler reads it. */
  readonly bodyBufferBytes: number
  /** How much of a body nobody reads is skipped to keep the connection; a longer rest closes it. */
  readonly unreadBodyBytes: number
  /** The status line and header lines of an answer. */
  readonly answerHeadBytes: number

  /** From the accepted socket to the end of the TLS handshake. */
  readonly handshakeMs: number
  /** From a head's first byte to its last. */
  readonly headMs: number
  /** From a body's first byte to its last, without the time in which the gateway itself holds it back. */
  readonly bodyMs: number
  /** Between two requests, and before the first. */
  readonly keepAliveMs: number
  /** For the caller to make room for the next piece of an answer. */
  readonly writeStallMs: number
  /** For the caller to hang up after the last answer of a connection. */
  readonly lingerMs: number
  /** For requests in flight to finish after `drain`. */
  readonly drainMs: number
}

export const defaultEdgeLimits: EdgeLimits = {
  connections: 4096,
  connectionsPerAgent: 256,
  requestsInFlight: 1024,
  requestsInFlightPerAgent: 256,

  headBytes: 32 * 1024,
  headerCount: 100,
  targetBytes: 8 * 1024,
  headerBytes: 16 * 1024,
  bodyBytes: 64 * 1024 * 1024,
  bodyBufferBytes: 64 * 1024,
  unreadBodyBytes: 64 * 1024,
  answerHeadBytes: 64 * 1024,

  handshakeMs: 10_000,
  headMs: 10_000,
  bodyMs: 300_000,
  keepAliveMs: 75_000,
  writeStallMs: 30_000,
  lingerMs: 1000,
  drainMs: 30_000,
}
