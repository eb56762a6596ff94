import { ticketTokenType, type AgentIdentity, type Refused, type Thumbprint, type TokenExchangeAnswer } from '@sallyport/contract'
import type { DelegationCall } from '../../access/access-request.ts'
import type { CarriedPrincipal, Principal, PrincipalSession } from '../../identity/identify.ts'
import type { Forwarded } from '../forwarded.ts'
import { answer, refusal } from './own-answer.ts'

/** Who passes which session on to whom, with at most which scopes. Plain data, since the keys that sign are on another thread. */
export interface Handover {
  readonly from: CarriedPrincipal
  readonly session: PrincipalSession
  readonly to: AgentIdentity
  readonly scopes: readonly string[]
  /** The certificate that the other agent has just shown. Without it the ticket is bound to the newest one of the agent that counts. */
  readonly shown?: { readonly thumbprint: Thumbprint; readonly notAfterMs: number }
}

export interface DelegatedTicket {
  readonly ticket: string
  /** How long it counts from now on, in seconds. */
  readonly lifetimeSeconds: number
  readonly scopes: readonly string[]
}

/** One call that the gateway brings to another agent. */
export interface Introduction {
  readonly from: CarriedPrincipal
  readonly to: AgentIdentity
  /** The certificate that the called agent has just shown: what is signed counts under that one alone. */
  readonly shown: NonNullable<Handover['shown']>
  /** The id of the request. */
  readonly request: string
  /** The session that is passed on with the call; undefined: none. */
  readonly passesOn: Pick<Handover, 'session' | 'scopes'> | undefined
}

export interface Introduced {
  /** A signed statement of who calls. */
  readonly caller: string
  readonly ticket: string | undefined
}

/** Signs tickets for other agents; the control plane implements it, where the keys of tickets live. */
export interface Delegations {
  /**
   * A ticket with which `to` acts for `from`, who acts for the person: of the same session, ending no later than the ticket and the certificates that it stands on.
   *
   * Refuses `forward.peer-refused` when the other agent or its certificate does not count now, and `identity.ticket-invalid` when the session has ended meanwhile.
   *
   * @throws Fault; nothing was signed
   */
  delegate(handover: Handover): Promise<DelegatedTicket | Refused>
  /** Who calls, signed for the called agent alone, and a ticket as `delegate` makes it. Refuses as `delegate`. @throws Fault; nothing was signed */
  introduce(introduction: Introduction): Promise<Introduced | Refused>
}

/** Answers a token exchange. @see RFC 8693 section 2.2.1 */
export async function serveDelegation(delegations: Delegations, principal: Principal, { to, scopes }: DelegationCall): Promise<Forwarded> {
  const delegated = await delegations.delegate(handoverOf(principal, to, scopes))
  if ('problem' in delegated) return refusal(delegated.problem, delegated.reason)
  const exchanged: TokenExchangeAnswer = {
    access_token: delegated.ticket,
    issued_token_type: ticketTokenType,
    token_type: 'N_A',
    expires_in: delegated.lifetimeSeconds,
    scope: delegated.scopes.join(' '),
  }
  return answer(exchanged)
}

/** For a principal whose session can be passed on: access has seen to it. */
export function handoverOf({ id, tenant, agent, thumbprint, notAfterMs, session }: Principal, to: AgentIdentity, scopes: readonly string[]): Handover {
  if (!session) throw new TypeError('only a session can be passed on')
  return { from: { id, tenant, agent, thumbprint, notAfterMs }, session, to, scopes }
}
