import type { ProblemCode } from '@sallyport/contract'
import type { Connection } from './inbound.ts'

/** Why nobody got as far as a request. */
export type ConnectionRefusal =
  | 'no-certificate'
  | 'certificate-refused'
  | 'handshake-failed'
  | 'handshake-timeout'
  | 'accept-failed'
  | 'too-many-connections'
  | 'too-many-connections-of-agent'

export type ConnectionEnd = 'caller' | 'finished' | 'idle' | 'timeout' | 'refused' | 'stalled' | 'answer-broke' | 'cut' | 'drained'

/**
 * What the edge saw, for metrics and the operator's log. `detail` may quote OpenSSL and is not for callers. `remoteAddress` is empty where the socket was gone
 * before anyone could ask.
 */
export type EdgeEvent =
  | { readonly kind: 'connection-refused'; readonly reason: ConnectionRefusal; readonly detail: string; readonly remoteAddress: string }
  | { readonly kind: 'connection-opened'; readonly connection: Connection }
  | { readonly kind: 'connection-closed'; readonly connection: Connection; readonly reason: ConnectionEnd }
  /** The edge answered by itself; the handler did not see the request. */
  | { readonly kind: 'request-refused'; readonly id: string; readonly code: ProblemCode; readonly reason: string; readonly connection: Connection }
  /** The handler threw or made an answer that cannot be sent, both bugs, or the body of its answer broke on the way. */
  | { readonly kind: 'request-failed'; readonly id: string; readonly error: unknown; readonly connection: Connection }
