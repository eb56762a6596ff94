import { Fault, refused, type Refused } from '@sallyport/contract'
import * as oauth from 'oauth4webapi'
import type { IdentityProvider, RefreshAnswer } from '../sessions/identity-provider.ts'
import type { SessionSubject } from '../sessions/session.ts'
import type { ShownCredential } from './client-credential.ts'
import { tryCredential, type CredentialTrial } from './try-credential.ts'
import { objectionToUrl, type ProviderDefinition } from './provider-definition.ts'
import { NotSent } from './provider-http.ts'
import { ProviderLink, type PreparedRequest, type ProviderPorts } from './provider-link.ts'
import { errorOf, messageOf, objectionTo, refusalOf, scopesOf, textMax, tokensOf } from './token-answer.ts'

/** What one login keeps until its answer comes back. */
export interface Challenge {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly redirectUri: string
  /** Of those in the configuration; undefined: all. */
  readonly scopes?: readonly string[] | undefined
}

/** What a completed login gives. */
export interface LoggedIn extends SessionSubject {
  readonly refreshToken: string
  /** Undefined where the provider does not say that it is the person's (OpenID Connect Core 1.0 section 5.1). */
  readonly verifiedEmail: string | undefined
  /** How the provider calls the person, for people to recognise: an e-mail address, a name. Proves nothing. */
  readonly called: readonly string[]
}

export interface DeviceStart {
  readonly deviceCode: string
  readonly userCode: string
  readonly verificationUri: string
  readonly verificationUriComplete: string | undefined
  readonly expiresInSeconds: number
  readonly intervalSeconds: number
}

export type DevicePoll = { readonly kind: 'pending' } | { readonly kind: 'slow-down' } | { readonly kind: 'done'; readonly loggedIn: LoggedIn } | Refused

/** One identity provider of the operator, of which this gateway is an OAuth client. */
export class Provider implements IdentityProvider {
  readonly definition: ProviderDefinition
  readonly #link: ProviderLink

  constructor(definition: ProviderDefinition, ports: ProviderPorts) {
    this.definition = definition
    this.#link = new ProviderLink(definition, ports)
  }

  async refresh(refreshToken: string, signal: AbortSignal): Promise<RefreshAnswer> {
    let request: PreparedRequest
    try {
      request = await this.#link.prepare(signal)
    } catch (error) {
      return { kind: 'unsent', reason: messageOf(error) }
    }
    const { server, client, proof, options } = request
    let answer: Response
    try {
      answer = await oauth.refreshTokenGrantRequest(server, client, proof, refreshToken, options)
    } catch (error) {
      if (error instanceof NotSent) return { kind: 'unsent', reason: messageOf(error) }
      return { kind: 'unknown', reason: `the request broke off: ${messageOf(error)}`, how: isTimeout(error) ? 'late' : 'broken-off' }
    }
    if (answer.status === 400 || answer.status === 401) {
      const error = await errorOf(answer)
      // Which client asks is settled before the token is looked at: every session would end by one mistake in the configuration.
      if (error === 'invalid_client') return { kind: 'unsent', reason: 'the provider does not accept this gateway as its client' }
      return { kind: 'refused', reason: `the provider answered ${answer.status}${error === undefined ? '' : ` ${error}`}` }
    }
    if (answer.status !== 200) return { kind: 'unknown', reason: `the provider answered ${answer.status}`, how: 'odd-answer' }
    try {
      // Over TLS, straight from the token endpoint: the signature of an ID token says nothing more (OpenID Connect Core 1.0 section 3.1.3.7, item 6).
      return { kind: 'refreshed', tokens: tokensOf(await oauth.processRefreshTokenResponse(server, client, answer)) }
    } catch (error) {
      return { kind: 'unknown', reason: `the provider answered 200 with what is no token answer: ${messageOf(error)}`, how: 'odd-answer' }
    }
  }

  async revoke(refreshToken: string, signal: AbortSignal): Promise<boolean> {
    try {
      const { server, client, proof, options } = await this.#link.prepare(signal)
      if (server.revocation_endpoint === undefined) return false
      const additionalParameters = { token_type_hint: 'refresh_token' }
      const answer = await oauth.revocationRequest(server, client, proof, refreshToken, { ...options, additionalParameters })
      return answer.status === 200
    } catch {
      return false
    }
  }

  /** Whether the provider takes this credential, whichever counts. Never rejects. */
  attempt(credential: ShownCredential, signal: AbortSignal): Promise<CredentialTrial> {
    return tryCredential(this.#link, credential, signal)
  }

  /** Where the browser is sent. The provider gets the request itself first, where it takes that (RFC 9126). @throws Fault */
  async authorizationUrl(challenge: Challenge, signal: AbortSignal): Promise<string> {
    const { authorization_endpoint: endpoint, pushed_authorization_request_endpoint: pushed } = await this.#link.metadata.readOrFault(signal)
    const objection = endpoint === undefined ? 'the provider has no authorization endpoint' : objectionToUrl(endpoint)
    if (objection !== undefined) throw new Fault(objection, 'not-done')
    const url = new URL(endpoint ?? '')
    const asked = await this.#authorizationRequest(challenge)
    const shown = pushed === undefined ? asked : { client_id: this.definition.clientId, request_uri: await this.#push(asked, signal) }
    for (const [parameter, value] of Object.entries(shown)) url.searchParams.set(parameter, value)
    return url.href
  }

  /** Trades the code of a callback, once. Refuses `login.refused`, `login.provider-failed`. */
  async exchange(callback: URLSearchParams, challenge: Challenge, signal: AbortSignal): Promise<LoggedIn | Refused> {
    try {
      const request = await this.#link.prepare(signal)
      const { server, client, proof, options } = request
      // RFC 9207: with the issuer where the provider announces it, so that no other provider's answer is taken for this one's.
      const parameters = oauth.validateAuthResponse(server, client, callback, challenge.state)
      const answer = await oauth.authorizationCodeGrantRequest(server, client, proof, parameters, challenge.redirectUri, challenge.verifier, options)
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: challenge.nonce, requireIdToken: true })
      return await this.#loggedIn(tokens, answer, request, signal, challenge.scopes)
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** RFC 8628 section 3.1. Refuses `login.refused`, `login.provider-failed`. */
  async startDevice(signal: AbortSignal): Promise<DeviceStart | Refused> {
    try {
      const { server, client, proof, options } = await this.#link.prepare(signal)
      const answer = await oauth.deviceAuthorizationRequest(server, client, proof, { scope: this.definition.scopes.join(' ') }, options)
      const start = await oauth.processDeviceAuthorizationResponse(server, client, answer)
      return {
        deviceCode: start.device_code,
        userCode: start.user_code.slice(0, textMax),
        verificationUri: start.verification_uri,
        verificationUriComplete: start.verification_uri_complete,
        expiresInSeconds: start.expires_in,
        intervalSeconds: start.interval ?? 5,
      }
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** RFC 8628 section 3.4. */
  async pollDevice(deviceCode: string, signal: AbortSignal): Promise<DevicePoll> {
    try {
      const request = await this.#link.prepare(signal)
      const { server, client, proof, options } = request
      const answer = await oauth.deviceCodeGrantRequest(server, client, proof, deviceCode, options)
      const tokens = await oauth.processDeviceCodeResponse(server, client, answer)
      const loggedIn = await this.#loggedIn(tokens, answer, request, signal)
      return 'problem' in loggedIn ? loggedIn : { kind: 'done', loggedIn }
    } catch (error) {
      const code = error instanceof oauth.ResponseBodyError ? error.error : undefined
      if (code === 'authorization_pending') return { kind: 'pending' }
      // RFC 8628 section 3.5: what did not reach the provider is asked again, more slowly.
      if (code === 'slow_down' || !(error instanceof oauth.ResponseBodyError || error instanceof oauth.OperationProcessingError)) return { kind: 'slow-down' }
      return refusalOf(error)
    }
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  async #authorizationRequest({ state, nonce, verifier, redirectUri, scopes = this.definition.scopes }: Challenge): Promise<Readonly<Record<string, string>>> {
    const { clientId, parameters } = this.definition
    return {
      // OpenID Connect Core 1.0 section 11: offline access is given only where the person is asked.
      ...(scopes.includes('offline_access') && { prompt: 'consent' }),
      ...parameters,
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }
  }

  /** @throws Fault: whatever became of the request, nobody has logged in by it */
  async #push(asked: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    try {
      const { server, client, proof, options } = await this.#link.prepare(signal)
      const answer = await oauth.pushedAuthorizationRequest(server, client, proof, { ...asked }, options)
      return (await oauth.processPushedAuthorizationResponse(server, client, answer)).request_uri
    } catch (error) {
      throw new Fault(`the identity provider ${this.definition.name} did not take the request of a login: ${messageOf(error)}`, 'not-done', error)
    }
  }

  /** What cannot be used is given back. */
  async #loggedIn(
    tokens: oauth.TokenEndpointResponse,
    answer: Response,
    request: PreparedRequest,
    signal: AbortSignal,
    asked = this.definition.scopes,
  ): Promise<LoggedIn | Refused> {
    const { refresh_token: refreshToken } = tokens
    if (refreshToken === undefined) {
      const detail = 'The provider gave no refresh token: it wants offline_access among the scopes, or another of its own settings.'
      return refused('login.provider-failed', detail, { detail })
    }
    const claims = oauth.getValidatedIdTokenClaims(tokens)
    const scopes = tokens.scope === undefined ? asked : scopesOf(tokens.scope)
    const objection = claims ? (objectionTo(claims.sub, scopes) ?? (await objectionToSignature(answer, request))) : 'the provider gave no ID token'
    if (!claims || objection !== undefined) {
      await this.revoke(refreshToken, signal)
      return refused('login.provider-failed', objection)
    }
    const textOf = (claim: string): string | undefined => {
      const value = claims[claim]
      return typeof value === 'string' && value !== '' ? value.slice(0, textMax) : undefined
    }
    return {
      issuer: claims.iss,
      subject: claims.sub,
      scopes,
      refreshToken,
      verifiedEmail: claims['email_verified'] === true ? textOf('email') : undefined,
      called: ['email', 'preferred_username', 'name'].flatMap((claim) => textOf(claim) ?? []),
    }
  }
}

/** The deadline of one request. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}

async function objectionToSignature(answer: Response, { server, options }: PreparedRequest): Promise<string | undefined> {
  try {
    await oauth.validateApplicationLevelSignature(server, answer, options)
    return undefined
  } catch (error) {
    return `the signature of the ID token: ${messageOf(error)}`
  }
}
