import { createPublicKey } from 'node:crypto'
import { ticketAudience, ticketIssuer, unreachable, type TicketJwk, type TrustDomain } from '@sallyport/contract'
import type { TicketKey, TicketTrust } from '../../identity/ticket-trust.ts'

/** A session is remembered as revoked past the end of its last ticket, so that a clock that is set back a little does not let it in again. */
export const revokedRememberedMs = 3_600_000

/** A key as it is published, and when it signs. */
export interface PublishedKey extends Pick<TicketKey, 'signsFromSeconds' | 'signsUntilSeconds'> {
  readonly jwk: TicketJwk
}

/** One change of what is known about tickets, as plain data for other threads. */
export type TicketChange =
  | { readonly kind: 'emptied' }
  /** These keys and no others. */
  | { readonly kind: 'keys'; readonly keys: readonly PublishedKey[] }
  | { readonly kind: 'revoked'; readonly sessions: readonly RevokedSession[]; readonly nowMs: number }

export interface RevokedSession {
  readonly session: string
  readonly revokedAtMs: number
}

/** The trust in tickets, in memory: changed by the control plane, and passed on to other threads as it changes. */
export class LiveTicketTrust implements TicketTrust {
  readonly issuer: string
  readonly audience: string
  readonly #revoked = new Map<string, number>()
  #published: readonly PublishedKey[] = []
  #keys: ReadonlyMap<string, TicketKey> = new Map()
  #onChange: (change: TicketChange) => Promise<void> = () => Promise.resolve()

  constructor(trustDomain: TrustDomain) {
    this.issuer = ticketIssuer(trustDomain)
    this.audience = ticketAudience(trustDomain)
  }

  key(id: string): TicketKey | undefined {
    return this.#keys.get(id)
  }

  isRevoked(session: string): boolean {
    return this.#revoked.has(session)
  }

  get jwks(): readonly TicketJwk[] {
    return this.#published.map(({ jwk }) => jwk)
  }

  /** How many sessions are remembered as revoked. */
  get revoked(): number {
    return this.#revoked.size
  }

  /** Who passes every change on, in the order in which they are made, and says when it is in force there. */
  onChange(listener: (change: TicketChange) => Promise<void>): void {
    this.#onChange = listener
  }

  /** Everything that is known now. */
  changes(): readonly TicketChange[] {
    const sessions = [...this.#revoked].map(([session, revokedAtMs]) => ({ session, revokedAtMs }))
    return [{ kind: 'emptied' }, { kind: 'keys', keys: this.#published }, { kind: 'revoked', sessions, nowMs: 0 }]
  }

  /** In force here when it returns, and everywhere when it resolves. */
  apply(change: TicketChange): Promise<void> {
    switch (change.kind) {
      case 'emptied':
        this.#trust([])
        this.#revoked.clear()
        break
      case 'keys':
        this.#trust(change.keys)
        break
      case 'revoked':
        for (const [session, revokedAtMs] of this.#revoked) if (revokedAtMs + revokedRememberedMs < change.nowMs) this.#revoked.delete(session)
        for (const { session, revokedAtMs } of change.sessions) this.#revoked.set(session, revokedAtMs)
        break
      default:
        unreachable(change)
    }
    return this.#onChange(change)
  }

  #trust(published: readonly PublishedKey[]): void {
    this.#published = published
    this.#keys = new Map(published.map(({ jwk, ...times }) => [jwk.kid, { publicKey: createPublicKey({ key: jwk, format: 'jwk' }), ...times }]))
  }
}
