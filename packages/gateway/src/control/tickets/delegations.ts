import { callerLimits, refused, ticketLimits, type AgentIdentity, type Refused } from '@sallyport/contract'
import type { DelegatedTicket, Delegations, Handover, Introduced } from '../../forward/own/serve-delegation.ts'
import { objectionToDelegation } from '../../identity/objection-to-delegation.ts'
import type { Roster } from '../../identity/roster.ts'
import type { AgentStore } from '../authority/agent-store.ts'
import type { Tickets } from './tickets.ts'

export interface DelegationPorts {
  readonly tickets: Pick<Tickets, 'mint' | 'vouch' | 'trust'>
  readonly store: Pick<AgentStore, 'certificates'>
  readonly roster: Roster
  readonly now: () => number
}

interface Bound {
  readonly thumbprint: NonNullable<Handover['shown']>['thumbprint']
  readonly notAfterMs: number
}

/** Signs what agents pass on to each other. */
export function openDelegations({ tickets, store, roster, now }: DelegationPorts): Delegations {
  /** The certificate that the ticket is going to be bound to. */
  const boundTo = async ({ to, shown }: Handover): Promise<Bound | undefined> => {
    if (roster.standing(to.id) !== 'active' || roster.isBlocked(to.tenant, to.agent)) return undefined
    if (shown) return roster.isRevoked(shown.thumbprint) ? undefined : shown
    // Of several, the newest: whoever renewed has it, or asks for one that is newer still.
    return (await store.certificates(to)).find(
      ({ thumbprint, issuer, notAfterMs, revokedAtMs }) =>
        revokedAtMs === undefined && notAfterMs > now() && !roster.isRevoked(thumbprint) && roster.trustsAny([issuer]),
    )
  }

  const delegate = async (handover: Handover): Promise<DelegatedTicket | Refused> => {
    const { from, session, to, scopes } = handover
    // What access has judged, once more where it is signed.
    if (objectionToDelegation({ ...from, session }, to) !== undefined || scopes.some((scope) => !session.scopes.includes(scope)))
      throw new TypeError('a delegation that access refuses is not signed')
    const bound = await boundTo(handover)
    if (!bound) return refused('forward.peer-refused', `${to.id} has no certificate that counts now`, { detail: absent(to) })
    const issuedAt = now()
    const lastMs = Math.min(session.endsAtSeconds * 1000, from.notAfterMs, bound.notAfterMs, issuedAt + ticketLimits.lifetimeSecondsMax * 1000)
    const endsAtSeconds = Math.floor(lastMs / 1000)
    if (tickets.trust.isRevoked(session.id) || endsAtSeconds <= Math.floor(issuedAt / 1000))
      return refused('identity.ticket-invalid', `session ${session.id} ended while it was passed on`)
    const { id, generation, issuer, subject, actors } = session
    const earlierActors = [{ ...actorOf(from, to), thumbprint: from.thumbprint }, ...actors]
    const { thumbprint } = bound
    const [owner, expiresAt] = [{ id: to.id, tenant: to.tenant, agent: to.agent }, endsAtSeconds * 1000]
    const ticket = await tickets.mint({ session: id, generation, issuer, subject, scopes, owner, thumbprint, earlierActors, issuedAt, expiresAt })
    return { ticket, lifetimeSeconds: endsAtSeconds - Math.floor(issuedAt / 1000), scopes }
  }

  return {
    delegate,
    introduce: async ({ from, to, shown, request, passesOn }): Promise<Introduced | Refused> => {
      const delegated = passesOn && (await delegate({ from, to, shown, ...passesOn }))
      if (delegated && 'problem' in delegated) return delegated
      const issuedAtSeconds = Math.floor(now() / 1000)
      const caller = await tickets.vouch({
        iss: tickets.trust.issuer,
        aud: to.id,
        sub: from.id,
        cnf: { 'x5t#S256': shown.thumbprint },
        iat: issuedAtSeconds,
        exp: issuedAtSeconds + callerLimits.lifetimeSecondsMax,
        jti: request,
      })
      return { caller, ticket: delegated?.ticket }
    },
  }
}

function actorOf({ id, tenant, agent }: Handover['from'], { trustDomain }: AgentIdentity): AgentIdentity {
  return { id, trustDomain, tenant, agent }
}

function absent({ tenant, agent }: AgentIdentity): string {
  return `${tenant}/${agent} must be registered, not revoked or blocked, and have a certificate that has not ended.`
}
