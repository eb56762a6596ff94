import { sessionClaimRequest, sessionHandleRequest, unreachable, type Json, type Refused, type TicketJwk, type WhoamiAnswer } from '@sallyport/contract'
import type { GatewayCall } from '../../access/access-request.ts'
import type { Principal } from '../../identity/identify.ts'
import { isReachable } from '../../policy/reach.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import type { Forwarded } from '../forwarded.ts'
import { answer, refusal } from './own-answer.ts'
import type { ClientLogins } from './serve-client-login.ts'

/** What the gateway can do for an agent itself; the control plane implements it, wherever the issuing key lives. */
export interface OwnActs {
  /** Issues a certificate for the same agent over the CSR's key, and records the lineage from the certificate that was shown. */
  renew(principal: Principal, csrPem: string): Promise<{ readonly certificatePem: string; readonly bundlePem: string; readonly notAfter: string } | Refused>
  /** Every upstream with the host names under which a proxy client may call it. */
  catalog(): readonly { readonly name: string; readonly protocol: 'http' | 'mcp' | 'llm' | 'a2a'; readonly hosts: readonly string[] }[]
  readonly sessions: OwnSessions
  readonly clientLogins: ClientLogins
  /** The keys that verify tickets. */
  jwks(): readonly TicketJwk[]
}

/** Whoever asks about a session: not a principal, which was proved once, but the connection, over which it is proved again at every turn of every wait. */
export type SessionCaller = GatewayCall['caller']

/** The two secrets in it go to the agent and nowhere else: not to the log, not into an error. */
export interface GrantedSession {
  readonly session: string
  readonly handle: string
  readonly ticket: string
  /** Milliseconds since the epoch. */
  readonly ticketExpiresAt: number
  readonly sessionExpiresAt: number
  readonly scopes: readonly string[]
}

/** A program by its `client_id`, and the path that it means, where it says so. */
export interface AskingClient {
  readonly id: string
  readonly resource?: string | undefined
}

/** Every method proves ownership before it looks at anything else, and refuses `session.*`. */
export interface OwnSessions {
  claim(caller: SessionCaller): Promise<GrantedSession | Refused>
  /** `client`: the program in whose hands the session is; undefined: the agent's own. */
  refresh(caller: SessionCaller, handle: string, client?: AskingClient): Promise<GrantedSession | Refused>
  end(caller: SessionCaller, handle: string, client?: AskingClient): Promise<'ended' | Refused>
}

export async function serveOwn(acts: OwnActs, policy: PolicySnapshot, principal: Principal, call: GatewayCall): Promise<Forwarded> {
  const { sessions } = acts
  switch (call.operation) {
    case 'whoami':
      return answer(whoamiOf(principal))
    case 'catalog':
      return answer({ upstreams: acts.catalog().filter(({ name }) => isReachable(policy, principal, name)) })
    case 'jwks':
      return answer({ keys: acts.jwks().map((key) => ({ ...key })) })
    case 'certificate.renew': {
      const csrPem = readCsr(call.input)
      if (csrPem === undefined) return refusal({ code: 'access.malformed', detail: 'The body is {"csr": "<PEM>"}.' }, 'no csr in the body')
      const renewed = await acts.renew(principal, csrPem)
      if ('kind' in renewed) return refusal(renewed.problem, renewed.reason)
      return answer({ ...renewed })
    }
    case 'session.claim':
      if (!sessionClaimRequest.safeParse(call.input).success) return refusal({ code: 'access.malformed', detail: 'The body is {}.' }, 'the body is not {}')
      return grant(await sessions.claim(call.caller))
    case 'session.refresh': {
      const handle = readHandle(call.input)
      return handle === undefined ? noHandle : grant(await sessions.refresh(call.caller, handle))
    }
    case 'session.end': {
      const handle = readHandle(call.input)
      if (handle === undefined) return noHandle
      const ended = await sessions.end(call.caller, handle)
      return ended === 'ended' ? answer({ ended: true }) : refusal(ended.problem, ended.reason)
    }
    default:
      return unreachable(call.operation)
  }
}

function whoamiOf({ id, tenant, agent, notAfterMs, session }: Principal): WhoamiAnswer {
  return {
    id,
    tenant,
    agent,
    notAfter: new Date(notAfterMs).toISOString(),
    ...(session && { session: { id: session.id, person: session.subject, issuer: session.issuer, scopes: [...session.scopes] } }),
  }
}

function grant(granted: GrantedSession | Refused): Forwarded {
  if ('kind' in granted) return refusal(granted.problem, granted.reason)
  const { session, handle, ticket, ticketExpiresAt, sessionExpiresAt } = granted
  return answer({
    session,
    handle,
    ticket,
    ticketExpiresAt: new Date(ticketExpiresAt).toISOString(),
    sessionExpiresAt: new Date(sessionExpiresAt).toISOString(),
  })
}

function readCsr(input: Json | undefined): string | undefined {
  if (typeof input !== 'object' || input === null || !('csr' in input)) return undefined
  const { csr, ...others } = input
  return typeof csr === 'string' && Object.keys(others).length === 0 ? csr : undefined
}

function readHandle(input: Json | undefined): string | undefined {
  return sessionHandleRequest.safeParse(input).data?.handle
}

const noHandle = refusal({ code: 'access.malformed', detail: 'The body is {"handle": "<handle>"}, as the last answer gave it.' }, 'no handle in the body')
