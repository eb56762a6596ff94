import type { KeyObject } from 'node:crypto'
import type { TicketJwk } from '@sallyport/contract'

/** A key that tickets may be signed with, and when. */
export interface TicketKey {
  readonly publicKey: KeyObject
  /** Tickets issued before this count for nothing. Seconds since the epoch; infinite for the key that signs next. */
  readonly signsFromSeconds: number
  /** Neither do tickets issued after this, so that a key which is taken out of use is worthless five minutes later, wherever it is. Infinite for the key in use. */
  readonly signsUntilSeconds: number
}

/**
 * What this node knows about tickets right now: in memory, so that every request can ask without waiting.
 *
 * A rotation and a revocation are visible to the next request after they are in force; the control plane pushes each to every data-plane thread.
 */
export interface TicketTrust {
  readonly issuer: string
  readonly audience: string
  /** Undefined for a key that does not count, or not any more. */
  key(id: string): TicketKey | undefined
  /** Whether a session was revoked so lately that a ticket of it could still be alive. */
  isRevoked(session: string): boolean
  /** Every key, as it is published. */
  readonly jwks: readonly TicketJwk[]
}
