import { oauthMethod, ownPaths, refused, ticketHeader, type Refused, type TenantName, type Ticket } from '@sallyport/contract'
import type { Inbound } from '../edge/inbound.ts'
import { principalInSession, type Principal, type PrincipalSession } from './identify.ts'
import type { TicketVerifier } from './verify-ticket.ts'

/** What the configuration says of sessions. */
export interface SessionRules {
  isRequired(tenant: TenantName): boolean
}

/** What an agent without a session may do: get one, keep its certificate, ask who it is, and have it recorded. */
const withoutSession: ReadonlySet<string> = new Set([
  ownPaths.whoami,
  ownPaths.certificate,
  ownPaths.sessionClaim,
  ownPaths.sessionRefresh,
  ownPaths.sessionEnd,
  ownPaths.sessionDelegate, // its ticket is in the body, and is verified there
  ownPaths.jwks,
  ownPaths.runs, // what happens before a person has logged in is recorded too
  ownPaths.records,
])

const howToGetOne = `Have a person open a session for this agent, claim it at POST ${ownPaths.sessionClaim}, and send its ticket in ${ticketHeader}.`

/**
 * Adds to the principal the session whose ticket it shows, if it shows one.
 *
 * A ticket that does not count is a refusal and never ignored, or an agent would act with what it has without one. Refuses `identity.ticket-invalid`, and
 * `identity.session-required` where the tenant needs a session and none is shown.
 */
export async function identifySession(tickets: TicketVerifier, rules: SessionRules, principal: Principal, inbound: Inbound): Promise<Principal | Refused> {
  const shown = inbound.headers.filter(([name]) => name === ticketHeader)
  const [first] = shown
  if (!first) {
    if (!rules.isRequired(principal.tenant) || withoutSession.has(inbound.path) || oauthMethod(inbound.path) !== undefined) return principal
    return refused('identity.session-required', `${principal.tenant} needs sessions`, { detail: howToGetOne })
  }
  if (shown.length > 1) return refused('identity.ticket-invalid', 'more than one ticket')
  const ticket = await tickets.verify(first[1], principal, inbound.receivedAt, inbound.path)
  if ('problem' in ticket) return ticket
  return principalInSession(principal, sessionOf(ticket))
}

/** What a ticket that counts says of the session. */
export function sessionOf({ session, generation, person, scopes, earlierActors, expiresAtSeconds }: Ticket): PrincipalSession {
  return { id: session, generation, ...person, scopes, actors: earlierActors, endsAtSeconds: expiresAtSeconds }
}
