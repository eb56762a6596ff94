import { createHash } from 'node:crypto'
import { Fault, refused, type Refused } from '@sallyport/contract'
import type { AuthorizationRequest, ClientLogins, SentBrowser } from '../../forward/own/serve-client-login.ts'
import type { Lineage } from '../sessions/lineage.ts'
import type { AgentSessions, AskProof, Proof, SessionGrant } from '../sessions/session.ts'
import type { SessionRegister } from '../sessions/session-register.ts'
import { ClientCodes, type Code, type Granted } from './client-codes.ts'
import type { ClientDocument, ClientDocuments } from './client-documents.ts'
import { providerFor, type ClientLoginDefinition } from './client-login-definition.ts'
import { isSame } from './login-secrets.ts'
import type { Logins } from './logins.ts'
import type { Provider } from './provider.ts'
import { isRegistered } from './redirect-address.ts'

export interface ClientLoginDeskPorts {
  readonly definition: Pick<ClientLoginDefinition, 'provider'>
  readonly documents: Pick<ClientDocuments, 'read'>
  readonly logins: Pick<Logins, 'start' | 'complete' | 'giveBack'>
  readonly providers: { all(): readonly Provider[] }
  readonly sessions: Pick<AgentSessions, 'claim'>
  readonly register: Pick<SessionRegister, 'revoke'>
  readonly lineage: Lineage
  readonly now: () => number
  readonly random: (length: number) => Uint8Array
}

type CodeQuestion = Parameters<ClientLogins['exchange']>[1]

/** Errors that go back to the program. @see RFC 6749 section 4.1.2.1, RFC 8707 section 2, OpenID Connect Core 1.0 section 3.1.2.6 */
type AnsweredError =
  | 'invalid_request'
  | 'unsupported_response_type'
  | 'request_not_supported'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'server_error'
  | 'temporarily_unavailable'

/**
 * Where programs let their person log in for the agent whose certificate the bridge shows, and get the session that comes of it.
 *
 * A code is bound to the agent and its certificate, the program, its address, its verifier and the resource. Whoever lacks one of them changes nothing; whoever has
 * all of them and shows it again ends what the first has got.
 */
export class ClientLoginDesk {
  readonly #ports: ClientLoginDeskPorts
  readonly #codes: ClientCodes

  constructor(ports: ClientLoginDeskPorts) {
    this.#ports = ports
    this.#codes = new ClientCodes(ports.now)
  }

  /** As `ClientLogins.authorize`. Only what is known to be the program's own address is ever answered by sending a browser there. */
  async authorize(askProof: AskProof, asked: AuthorizationRequest): Promise<SentBrowser | Refused> {
    const { parameters, origin } = asked
    const asker = askProof()
    if ('problem' in asker) return asker
    const document = await this.#ports.documents.read(parameters['client_id'] ?? '', asker.id)
    if ('problem' in document) return document
    const redirectUri = parameters['redirect_uri'] ?? ''
    if (!isRegistered(redirectUri, document.redirects))
      return refused('login.client-refused', `redirect_uri is not one of ${document.id}`, {
        detail: 'The answer would go to an address that is not the program’s.',
      })
    const answer = (more: Readonly<Record<string, string>>): string => answerAddress(redirectUri, { ...more, iss: origin }, parameters['state'])
    const fail = (error: AnsweredError, refusal: Refused): SentBrowser => ({ location: answer({ error, error_description: describe(refusal) }), refusal })

    const objection = objectionTo(asked)
    if (objection) return fail(...objection)
    const proof = askProof() // after the document has come: what was revoked meanwhile counts
    if ('problem' in proof) return proof
    const provider = providerFor(this.#ports.providers.all(), ({ definition }) => definition, proof.tenant, this.#ports.definition.provider)
    if (!provider)
      return fail('server_error', refused('control.conflict', 'not exactly one identity provider is for this tenant: name one in sessions.clients'))
    if (this.#codes.isFull) return fail('temporarily_unavailable', refused('edge.overloaded', 'too many codes wait for their programs'))
    const started = this.#start(proof, provider, document, asked, answer)
    return 'problem' in started ? fail('temporarily_unavailable', started) : { location: started.link }
  }

  /** As `ClientLogins.exchange`. Never rejects but for a bug. */
  async exchange(askProof: AskProof, asked: CodeQuestion, deadline: number): Promise<SessionGrant | Refused> {
    try {
      return await this.#exchange(askProof, asked, deadline)
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      return refused('session.unavailable', fault.message, { retryAfterSeconds: 1 })
    }
  }

  async #exchange(askProof: AskProof, asked: CodeQuestion, deadline: number): Promise<SessionGrant | Refused> {
    const proof = askProof()
    if ('problem' in proof) return proof
    const code = this.#codes.find(asked.code)
    if (!code) return invalidCode('the code is unknown')
    const objection = (await this.#objectionToOwner(code, proof)) ?? objectionToQuestion(code, asked)
    if (objection !== undefined) return invalidCode(objection)
    // From here to where it is marked as used nothing waits: of any number of calls one goes on.
    if (code.used) return this.#usedTwice(code.used)
    if (this.#codes.isOver(code)) return invalidCode('the code is over')
    const used: NonNullable<Code['used']> = { session: undefined, isShownAgain: false }
    code.used = used
    const { logins, sessions, register } = this.#ports
    const opened = await logins.complete(code.request, code.loggedIn)
    if ('problem' in opened) return opened
    used.session = opened.session
    const granted = await sessions.claim(askProof, deadline, opened.session)
    if (used.isShownAgain) return this.#usedTwice(used)
    if ('problem' in granted) await register.revoke(opened.session, undefined, 'its program did not get it')
    return granted
  }

  /** Forgets codes that are over, and gives back what nobody took. */
  async sweep(until = this.#ports.now()): Promise<void> {
    await Promise.all(this.#codes.sweep(until).map(({ request, loggedIn }) => this.#ports.logins.giveBack(request.provider, loggedIn)))
  }

  #start(
    { id, tenant, agent, thumbprint }: Proof,
    provider: Provider,
    document: ClientDocument,
    { parameters, resource = '' }: AuthorizationRequest,
    answer: (more: Readonly<Record<string, string>>) => string,
  ): ReturnType<Logins['start']> {
    const { scope, redirect_uri: redirectUri = '', code_challenge: challenge = '' } = parameters
    const own = provider.definition.scopes.filter((each) => each === 'openid' || each === 'offline_access')
    return this.#ports.logins.start({
      owner: { id, tenant, agent },
      provider,
      person: undefined,
      expected: undefined,
      ...(scope !== undefined && { scopes: [...new Set([...own, ...scopesIn(scope)])] }),
      program: {
        client: { id: document.id, resource },
        host: document.host,
        name: document.name,
        answersTo: hostOf(redirectUri),
        granted: (request, loggedIn) => {
          const code = Buffer.from(this.#ports.random(32)).toString('base64url')
          const granted: Granted = { request, loggedIn, certificate: thumbprint, client: document.id, redirectUri, challenge, resource }
          this.#codes.keep(code, granted)
          return answer({ code })
        },
        denied: () => answer({ error: 'access_denied' satisfies AnsweredError }),
      },
    })
  }

  async #objectionToOwner({ request, certificate }: Code, proof: Proof): Promise<string | undefined> {
    if (proof.id !== request.owner.id) return 'the code is of another agent'
    if (proof.thumbprint === certificate || (await this.#ports.lineage.descends(proof, certificate))) return undefined
    return 'the certificate does not descend from the one with which the code was asked for'
  }

  /** RFC 6749 section 4.1.2: what was issued on a code that is used twice is revoked. */
  async #usedTwice(used: NonNullable<Code['used']>): Promise<Refused> {
    used.isShownAgain = true // whoever has it in use gets nothing either
    const { session } = used
    if (session !== undefined) await this.#ports.register.revoke(session, undefined, 'its authorization code was shown twice')
    return invalidCode(`the code was used${session === undefined ? '' : `, by session ${session}`}`)
  }
}

/** In this order; the first that does not hold is told. */
function objectionTo({ parameters, scopes, resource }: AuthorizationRequest): [AnsweredError, Refused] | undefined {
  const { response_type: type, response_mode: mode = 'query', code_challenge: challenge = '', code_challenge_method: method, scope } = parameters
  if (type !== 'code') return ['unsupported_response_type', refused('access.malformed', 'response_type is code')]
  if ('request' in parameters || 'request_uri' in parameters) return ['request_not_supported', refused('access.malformed', 'request objects are not taken')]
  if (mode !== 'query') return ['invalid_request', refused('access.malformed', 'response_mode is query')]
  // RFC 9700 section 2.1.1; without a method `plain` would be meant.
  if (method !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(challenge))
    return ['invalid_request', refused('access.malformed', 'code_challenge is needed, with S256')]
  if (resource === undefined) return ['invalid_target', refused('access.unknown-upstream', 'resource is the MCP address that the token is for')]
  const allowed = new Set([...scopes, 'openid', 'offline_access'])
  if (scope !== undefined && !scopesIn(scope).every((each) => allowed.has(each))) return ['invalid_scope', refused('access.scope-unavailable')]
  return undefined
}

function scopesIn(scope: string): readonly string[] {
  return scope.split(' ').filter((each) => each !== '')
}

function objectionToQuestion(code: Code, { client, redirectUri, verifier, resource }: CodeQuestion): string | undefined {
  if (client !== code.client) return 'the code is of another program'
  if (redirectUri !== code.redirectUri) return 'redirect_uri is another one than in the authorization request'
  if (resource !== undefined && resource !== code.resource) return 'the code is for another resource'
  // RFC 7636 section 4.6.
  const isVerifier = /^[A-Za-z0-9._~-]{43,128}$/.test(verifier)
  return isVerifier && isSame(createHash('sha256').update(verifier).digest('base64url'), code.challenge)
    ? undefined
    : 'code_verifier is not that of the request'
}

/** As a person reads it. */
function hostOf(redirectUri: string): string {
  const { protocol, host } = new URL(redirectUri)
  return protocol === 'http:' ? `this computer (${host})` : host
}

function answerAddress(redirectUri: string, answer: Readonly<Record<string, string>>, state: string | undefined): string {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries({ ...answer, ...(state !== undefined && { state }) })) url.searchParams.set(name, value)
  return url.href
}

/** In the characters that RFC 6749 allows. */
function describe({ reason }: Refused): string {
  return reason.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?').slice(0, 200)
}

function invalidCode(reason: string): Refused {
  return refused('login.code-invalid', reason)
}
