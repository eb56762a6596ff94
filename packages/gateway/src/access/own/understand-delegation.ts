import { parseSpiffeId, parseUpstreamName, refused, ticketTokenType, tokenExchangeGrant, type Refused } from '@sallyport/contract'
import type { Inbound } from '../../edge/inbound.ts'
import { sessionOf } from '../../identity/identify-session.ts'
import { principalInSession, type Principal } from '../../identity/identify.ts'
import { objectionToDelegation, scopesPassedOn } from '../../identity/objection-to-delegation.ts'
import type { TicketVerifier } from '../../identity/verify-ticket.ts'
import { ownUpstream, type AccessRequest } from '../access-request.ts'
import { malformed, readForm, type Form } from './read-form.ts'

/** The action of an agent that passes its session on. */
const delegateAction = 'delegate'

/** A ticket, every scope that it can have asked for again, and the names around them. */
export const exchangeBytesMax = 16_384

/**
 * What an agent asks that wants another to act on in the same session: a token exchange, whose subject token is the agent's own ticket and whose audience is the
 * other agent. What comes of it is always a delegation; there is no way to ask for an impersonation.
 *
 * The ticket is verified as on every request. Refuses `access.method-not-allowed`, `access.unsupported-media`, `access.too-large`, `access.malformed`,
 * `access.unknown-method` for another grant, `access.scope-unavailable`, `access.delegation-refused` and `identity.ticket-invalid`.
 *
 * @see RFC 8693 section 2.1
 */
export async function understandDelegation(tickets: TicketVerifier, shown: Principal, inbound: Inbound): Promise<AccessRequest | Refused> {
  const upstream = parseUpstreamName(ownUpstream)
  if (!upstream || inbound.query !== '') return refused('access.unknown-target')
  if (inbound.method !== 'POST') return refused('access.method-not-allowed', undefined, { detail: 'Use POST.' })
  const form = await readForm(inbound, exchangeBytesMax)
  if ('problem' in form) return form
  const asked = readExchange(form)
  if ('problem' in asked) return asked

  const ticket = await tickets.verify(asked.subjectToken, shown, inbound.receivedAt, inbound.path)
  if ('problem' in ticket) return ticket
  if (shown.session && shown.session.id !== ticket.session) return malformed('the header shows the ticket of another session')
  const principal = principalInSession(shown, sessionOf(ticket))
  const to = parseSpiffeId(asked.audience)
  if (to?.trustDomain !== ticket.agent.trustDomain) return noDelegation('the audience is the SPIFFE id of an agent of this trust domain')
  const objection = objectionToDelegation(principal, to)
  if (objection !== undefined) return noDelegation(objection)
  const scopes = scopesPassedOn(ticket.scopes, asked.scopes)
  if (asked.scopes !== undefined && scopes.length === 0) return refused('access.scope-unavailable')
  return {
    id: inbound.id,
    principal,
    upstream,
    action: delegateAction,
    resource: to.id,
    args: { tenant: to.tenant, agent: to.agent, scopes },
    context: { protocol: 'gateway', method: inbound.method, remoteAddress: inbound.connection.remoteAddress },
    standing: 'call',
    call: { kind: 'delegation', to, scopes },
  }
}

interface Exchange {
  readonly subjectToken: string
  readonly audience: string
  readonly scopes: readonly string[] | undefined
}

function readExchange(form: Form): Exchange | Refused {
  if (form.get('grant_type') !== tokenExchangeGrant)
    return refused('access.unknown-method', 'another grant', { detail: `grant_type is ${tokenExchangeGrant}.` })
  const [subjectToken, audience, scope] = [form.get('subject_token'), form.get('audience'), form.get('scope')]
  if (subjectToken === undefined || form.get('subject_token_type') !== ticketTokenType)
    return malformed(`subject_token is the own ticket, and subject_token_type ${ticketTokenType}`)
  if ((form.get('requested_token_type') ?? ticketTokenType) !== ticketTokenType) return malformed(`requested_token_type can only be ${ticketTokenType}`)
  // Whoever named the actor by a token of it would hold a credential of another agent.
  if (form.has('actor_token') || form.has('actor_token_type')) return malformed('the actor is named by audience, and by nothing else')
  if (audience === undefined || form.has('resource')) return malformed('audience names the agent that is to act, and resource nothing')
  return { subjectToken, audience, scopes: scope === undefined ? undefined : scope.split(' ') }
}

function noDelegation(reason: string): Refused {
  return refused('access.delegation-refused', reason, { detail: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.` })
}
