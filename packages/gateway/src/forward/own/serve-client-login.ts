import { oauthPaths, refused, unreachable, type Refused } from '@sallyport/contract'
import type { ClientLoginCall, ClientLoginQuestion } from '../../access/access-request.ts'
import type { Principal } from '../../identity/identify.ts'
import { isReachable } from '../../policy/reach.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import type { Forwarded } from '../forwarded.ts'
import { answer, refusal } from './own-answer.ts'
import type { GrantedSession, OwnActs, SessionCaller } from './serve-own.ts'

type Asked<Kind extends ClientLoginQuestion['kind']> = Extract<ClientLoginQuestion, { kind: Kind }>

/** A program asks for a person's consent; plain data, since logins are kept on another thread. */
export interface AuthorizationRequest extends Pick<Asked<'authorize'>, 'parameters' | 'scopes' | 'resource'> {
  /** The issuer that the program knows. */
  readonly origin: string
}

/** Where the browser is sent: to a page on which the person logs in, or back to the program with an error, and then why. */
export interface SentBrowser {
  readonly location: string
  readonly refusal?: Pick<Refused, 'problem' | 'reason'>
}

/** Logins that programs ask for; the control plane implements it. */
export interface ClientLogins {
  /** Refuses `login.client-refused` for a program, or an address of its own, that is not known to be its: then the browser is sent nowhere. */
  authorize(caller: SessionCaller, asked: AuthorizationRequest): Promise<SentBrowser | Refused>
  /** Trades a code for the session that the person has consented to, once. Refuses `login.code-invalid` and as `OwnSessions.claim`. */
  exchange(caller: SessionCaller, asked: Asked<'code'>): Promise<GrantedSession | Refused>
}

export async function serveClientLogin(
  { sessions, clientLogins }: Pick<OwnActs, 'sessions' | 'clientLogins'>,
  policy: PolicySnapshot,
  principal: Principal,
  { origin, asked, caller }: ClientLoginCall,
): Promise<Forwarded> {
  switch (asked.kind) {
    case 'server-metadata':
      return answer(serverMetadata(origin, asked.scopes))
    case 'resource-metadata':
      if (!canReach(policy, principal, asked.resource)) return refusal({ code: 'access.unknown-upstream' }, 'no rule lets the agent reach it')
      return answer({
        resource: `${origin}${asked.resource}`,
        authorization_servers: [origin],
        scopes_supported: [...asked.scopes],
        bearer_methods_supported: ['header'],
      })
    case 'authorize': {
      const { parameters, scopes } = asked
      const resource = asked.resource !== undefined && canReach(policy, principal, asked.resource) ? asked.resource : undefined
      return redirect(await clientLogins.authorize(caller, { origin, parameters, scopes, resource }))
    }
    case 'code':
      return tokens(await clientLogins.exchange(caller, asked))
    case 'refresh':
      return tokens(await sessions.refresh(caller, asked.handle, { id: asked.client, resource: asked.resource }))
    case 'revoke': {
      const ended = await sessions.end(caller, asked.handle, { id: asked.client })
      // RFC 7009 section 2.2: what is no token any more needs no revocation.
      return ended === 'ended' || ended.problem.code === 'session.invalid' ? answer({}) : refusal(ended.problem, ended.reason)
    }
    default:
      return unreachable(asked)
  }
}

/** No registration: programs are known by the documents at their `client_id`. @see RFC 8414 section 2, RFC 9207 section 3 */
function serverMetadata(origin: string, scopes: readonly string[]) {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}${oauthPaths.authorize}`,
    token_endpoint: `${origin}${oauthPaths.token}`,
    revocation_endpoint: `${origin}${oauthPaths.revoke}`,
    scopes_supported: [...scopes],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    client_id_metadata_document_supported: true,
    authorization_response_iss_parameter_supported: true,
  }
}

function canReach(policy: PolicySnapshot, principal: Principal, resource: string): boolean {
  return isReachable(policy, principal, resource.split('/')[2])
}

function redirect(sent: SentBrowser | Refused): Forwarded {
  if ('problem' in sent) return refusal(sent.problem, sent.reason)
  const { location, refusal: why } = sent
  return {
    kind: 'answer',
    answer: {
      status: 302,
      headers: [
        ['location', location],
        ['cache-control', 'no-store'],
        ['referrer-policy', 'no-referrer'],
      ],
      body: new Uint8Array(),
    },
    finished: Promise.resolve(why ? { result: 'refused', code: why.problem.code, reason: why.reason } : { result: 'answered', status: 302, answerBytes: 0 }),
  }
}

/** @see RFC 6749 section 5.1 */
function tokens(granted: GrantedSession | Refused): Forwarded {
  if ('problem' in granted) return refusal(granted.problem, granted.reason)
  return answer({
    access_token: granted.ticket,
    token_type: 'Bearer',
    expires_in: Math.max(1, Math.floor((granted.ticketExpiresAt - Date.now()) / 1000)),
    refresh_token: granted.handle,
    scope: granted.scopes.join(' '),
  })
}

const noLogins = refused('access.unknown-target', 'programs cannot let anybody log in here')

/** Where there are none. */
export const noClientLogins: ClientLogins = { authorize: async () => noLogins, exchange: async () => noLogins }
