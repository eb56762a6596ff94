import { createHash } from 'node:crypto'
import { readTicketClaims, readTicketKeyId, refused, ticketAlgorithm, ticketType, type EarlierActor, type Refused, type Ticket } from '@sallyport/contract'
import { compactVerify, errors } from 'jose'
import type { Principal } from './identify.ts'
import type { Roster } from './roster.ts'
import type { TicketTrust } from './ticket-trust.ts'

/** Tickets whose signature is remembered, per thread: of agents that make calls at the same time. */
export const ticketsRememberedMax = 4096
/** What the clocks of two gateways of one trust domain may differ by. A ticket's end is not put off by it. */
export const clockSkewSecondsMax = 5

/** A ticket that some key of ours has signed. Whether it counts is another question, asked on every request. */
interface Signed {
  readonly kind: 'signed'
  readonly keyId: string
  readonly ticket: Ticket
}

/** Whether those count who acted before. */
type Standings = Pick<Roster, 'standing' | 'isRevoked' | 'isBlocked'>

/**
 * Verifies tickets, and remembers for which ones the signature holds, since that is most of the work: by the SHA-256 of the whole ticket, of the last 4096.
 *
 * Nothing else is remembered. Whether its key still counts, its times, its audience, whose it is, the certificate that it is bound to, whether its session was
 * revoked, and whether every agent through whose hands it came still counts are asked on every use.
 */
export class TicketVerifier {
  readonly #trust: TicketTrust
  readonly #standings: Standings
  readonly #rememberedMax: number
  /** In the order of their last use. */
  readonly #signed = new Map<string, Signed>()

  constructor(trust: TicketTrust, standings: Standings, rememberedMax: number = ticketsRememberedMax) {
    this.#trust = trust
    this.#standings = standings
    this.#rememberedMax = rememberedMax
  }

  /** For tests: how many are remembered. */
  get remembered(): number {
    return this.#signed.size
  }

  /**
   * Refuses `identity.ticket-invalid`. Its reason names nothing of the ticket but the key, the session and the resource, and those only when our own signature
   * vouches for them.
   *
   * @param path what the ticket is shown for
   */
  async verify(text: string, principal: Principal, nowMs: number, path: string): Promise<Refused | Ticket> {
    const signed = await this.#readSigned(text)
    if (signed.kind === 'refused') return signed
    const nowSeconds = Math.floor(nowMs / 1000)
    for (const objection of objections) {
      const reason = objection(this.#trust, signed, principal, nowSeconds, path)
      if (reason !== undefined) return invalid(reason)
    }
    for (const actor of signed.ticket.earlierActors) {
      const reason = objectionToActor(this.#standings, actor)
      if (reason !== undefined) return invalid(`${reason}, who acted before in session ${signed.ticket.session}`)
    }
    return signed.ticket
  }

  async #readSigned(text: string): Promise<Refused | Signed> {
    const digest = createHash('sha256').update(text).digest('base64url')
    const known = this.#signed.get(digest)
    const signed = known ?? (await verifySignature(this.#trust, text))
    if (signed.kind === 'refused') return signed
    this.#signed.delete(digest)
    this.#signed.set(digest, signed)
    for (const oldest of this.#signed.keys()) {
      if (this.#signed.size <= this.#rememberedMax) break
      this.#signed.delete(oldest)
    }
    return signed
  }
}

/** The key decides what the algorithm is; the header can only agree. @see RFC 8725 sections 3.1, 3.2 and 3.11 */
async function verifySignature(trust: TicketTrust, text: string): Promise<Refused | Signed> {
  const keyId = readTicketKeyId(text)
  if (keyId === undefined) return invalid('no ticket of this profile')
  const key = trust.key(keyId)
  if (!key) return invalid('signed with a key that does not count here')
  try {
    const { payload, protectedHeader } = await compactVerify(text, key.publicKey, { algorithms: [ticketAlgorithm] })
    // The header that the signature covers is the one that was judged: the two parsers are not the same.
    if (protectedHeader.typ !== ticketType || protectedHeader.kid !== keyId) return invalid('its header is read in two ways')
    const ticket = readTicketClaims(payload)
    return ticket ? { kind: 'signed', keyId, ticket } : invalid(`key ${keyId} has signed something that is no ticket`)
  } catch (error) {
    if (error instanceof errors.JOSEError) return invalid(`the signature does not hold: ${error.code}`)
    throw error
  }
}

type Objection = (trust: TicketTrust, signed: Signed, principal: Principal, nowSeconds: number, path: string) => string | undefined

/** In this order: whether it is ours, whether it is theirs, whether it still holds. */
const objections: readonly Objection[] = [
  ({ issuer }, { ticket }) => (ticket.issuer === issuer ? undefined : 'of another issuer'),
  ({ audience }, { ticket }) => (ticket.audience === audience ? undefined : 'for another audience'),
  (trust, { keyId, ticket }) => {
    const key = trust.key(keyId)
    if (!key) return `signed with key ${keyId}, which does not count any more`
    const { issuedAtSeconds } = ticket
    return issuedAtSeconds >= key.signsFromSeconds && issuedAtSeconds <= key.signsUntilSeconds ? undefined : `signed with key ${keyId} outside its time`
  },
  (_, { ticket }, { id }) => (ticket.agent.id === id ? undefined : `of another agent, of session ${ticket.session}`),
  // RFC 8705 section 3: of the certificate on this connection, not of any other of the same agent.
  (_, { ticket }, { thumbprint }) => (ticket.thumbprint === thumbprint ? undefined : `bound to another certificate, of session ${ticket.session}`),
  (_, { ticket }, __, nowSeconds) => (nowSeconds + clockSkewSecondsMax >= ticket.issuedAtSeconds ? undefined : 'not valid yet'),
  (_, { ticket }, __, nowSeconds) => (nowSeconds < ticket.expiresAtSeconds ? undefined : `expired, of session ${ticket.session}`),
  // RFC 8707 section 2.2: what a program got for one resource is nothing at another.
  (_, { ticket }, __, ___, path) => ((ticket.resource ?? path) === path ? undefined : `for ${ticket.resource} alone, of session ${ticket.session}`),
  (trust, { ticket }) => (trust.isRevoked(ticket.session) ? `of session ${ticket.session}, which is revoked` : undefined),
]

/** A chain holds as long as each of its links: what a revoked agent has passed on ends with it. */
function objectionToActor(standings: Standings, { id, tenant, agent, thumbprint }: EarlierActor): string | undefined {
  if (standings.standing(id) !== 'active') return `${id} is revoked or unknown`
  if (standings.isRevoked(thumbprint)) return `a certificate of ${id} is revoked`
  return standings.isBlocked(tenant, agent) ? `${id} is blocked` : undefined
}

function invalid(reason: string): Refused {
  return refused('identity.ticket-invalid', reason)
}
