import { Fault, refused, ticketLimits, type Refused } from '@sallyport/contract'
import * as oauth from 'oauth4webapi'
import type { IdentityProvider, ProviderTokens, RefreshAnswer } from '../sessions/identity-provider.ts'
import type { SessionSubject } from '../sessions/session.ts'
import { clientProof } from './client-proof.ts'
import { objectionToUrl, type ProviderDefinition } from './provider-definition.ts'
import { NotSent, type ProviderHttp } from './provider-http.ts'
import { ProviderMetadata } from './provider-metadata.ts'

/** Of what is shown of the person. */
const textMax = 256

export interface ProviderPorts {
  readonly http: ProviderHttp
  readonly reveal: (secret: string) => Promise<string | undefined>
  readonly now: () => number
}

/** What one login keeps until its answer comes back. */
export interface Challenge {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly redirectUri: string
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
  readonly #ports: ProviderPorts
  readonly #client: oauth.Client
  readonly #metadata: ProviderMetadata

  constructor(definition: ProviderDefinition, ports: ProviderPorts) {
    this.definition = definition
    this.#ports = ports
    this.#metadata = new ProviderMetadata(definition.issuer, ports.now, () => this.#options())
    this.#client = { client_id: definition.clientId, ...(definition.proof.method === 'tls' && { use_mtls_endpoint_aliases: true }) }
  }

  async refresh(refreshToken: string, signal: AbortSignal): Promise<RefreshAnswer> {
    let server: oauth.AuthorizationServer
    let answer: Response
    try {
      server = await this.#metadata.read(signal)
      answer = await oauth.refreshTokenGrantRequest(
        server,
        this.#client,
        await clientProof(this.definition.proof, server, this.#ports.reveal),
        refreshToken,
        this.#options(signal),
      )
    } catch (error) {
      if (error instanceof NotSent) return { kind: 'unsent', reason: messageOf(error) }
      return { kind: 'unknown', reason: `the request broke off: ${messageOf(error)}` }
    }
    if (answer.status === 400 || answer.status === 401) {
      const error = await errorOf(answer)
      // Which client asks is settled before the token is looked at: every session would end by one mistake in the configuration.
      if (error === 'invalid_client') return { kind: 'unsent', reason: 'the provider does not accept this gateway as its client' }
      return { kind: 'refused', reason: `the provider answered ${answer.status}${error === undefined ? '' : ` ${error}`}` }
    }
    if (answer.status !== 200) return { kind: 'unknown', reason: `the provider answered ${answer.status}` }
    try {
      // Over TLS, straight from the token endpoint: the signature of an ID token says nothing more (OpenID Connect Core 1.0 section 3.1.3.7, item 6).
      return { kind: 'refreshed', tokens: tokensOf(await oauth.processRefreshTokenResponse(server, this.#client, answer)) }
    } catch (error) {
      return { kind: 'unknown', reason: `the provider answered 200 with what is no token answer: ${messageOf(error)}` }
    }
  }

  async revoke(refreshToken: string, signal: AbortSignal): Promise<boolean> {
    try {
      const server = await this.#metadata.read(signal)
      if (server.revocation_endpoint === undefined) return false
      const answer = await oauth.revocationRequest(server, this.#client, await clientProof(this.definition.proof, server, this.#ports.reveal), refreshToken, {
        ...this.#options(signal),
        additionalParameters: { token_type_hint: 'refresh_token' },
      })
      return answer.status === 200
    } catch {
      return false
    }
  }

  /** Where the browser is sent. @throws Fault */
  async authorizationUrl({ state, nonce, verifier, redirectUri }: Challenge, signal: AbortSignal): Promise<string> {
    const { authorization_endpoint: endpoint } = await this.#metadata.readOrFault(signal)
    const objection = endpoint === undefined ? 'the provider has no authorization endpoint' : objectionToUrl(endpoint)
    if (objection !== undefined) throw new Fault(objection, 'not-done')
    const url = new URL(endpoint ?? '')
    const { clientId, scopes, parameters } = this.definition
    const own = {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }
    // OpenID Connect Core 1.0 section 11: offline access is given only where the person is asked.
    const asked = { ...(scopes.includes('offline_access') && { prompt: 'consent' }), ...parameters, ...own }
    for (const [parameter, value] of Object.entries(asked)) url.searchParams.set(parameter, value)
    return url.href
  }

  /** Trades the code of a callback, once. Refuses `login.refused`, `login.provider-failed`. */
  async exchange(callback: URLSearchParams, challenge: Challenge, signal: AbortSignal): Promise<LoggedIn | Refused> {
    try {
      const server = await this.#metadata.read(signal)
      // RFC 9207: with the issuer where the provider announces it, so that no other provider's answer is taken for this one's.
      const parameters = oauth.validateAuthResponse(server, this.#client, callback, challenge.state)
      const answer = await oauth.authorizationCodeGrantRequest(
        server,
        this.#client,
        await clientProof(this.definition.proof, server, this.#ports.reveal),
        parameters,
        challenge.redirectUri,
        challenge.verifier,
        this.#options(signal),
      )
      const tokens = await oauth.processAuthorizationCodeResponse(server, this.#client, answer, { expectedNonce: challenge.nonce, requireIdToken: true })
      await oauth.validateApplicationLevelSignature(server, answer, this.#options(signal))
      return await this.#loggedIn(tokens, signal)
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** RFC 8628 section 3.1. Refuses `login.refused`, `login.provider-failed`. */
  async startDevice(signal: AbortSignal): Promise<DeviceStart | Refused> {
    try {
      const server = await this.#metadata.read(signal)
      const parameters = { scope: this.definition.scopes.join(' ') }
      const answer = await oauth.deviceAuthorizationRequest(
        server,
        this.#client,
        await clientProof(this.definition.proof, server, this.#ports.reveal),
        parameters,
        this.#options(signal),
      )
      const start = await oauth.processDeviceAuthorizationResponse(server, this.#client, answer)
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
      const server = await this.#metadata.read(signal)
      const answer = await oauth.deviceCodeGrantRequest(
        server,
        this.#client,
        await clientProof(this.definition.proof, server, this.#ports.reveal),
        deviceCode,
        this.#options(signal),
      )
      const tokens = await oauth.processDeviceCodeResponse(server, this.#client, answer)
      await oauth.validateApplicationLevelSignature(server, answer, this.#options(signal))
      const loggedIn = await this.#loggedIn(tokens, signal)
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
    return this.#ports.http.close()
  }

  /** What cannot be used is given back. */
  async #loggedIn(tokens: oauth.TokenEndpointResponse, signal: AbortSignal): Promise<LoggedIn | Refused> {
    const claims = oauth.getValidatedIdTokenClaims(tokens)
    const { refresh_token: refreshToken } = tokens
    if (refreshToken === undefined) {
      const detail = 'The provider gave no refresh token: it wants offline_access among the scopes, or another of its own settings.'
      return refused('login.provider-failed', detail, { detail })
    }
    const scopes = tokens.scope === undefined ? this.definition.scopes : scopesOf(tokens.scope)
    const objection = claims ? objectionTo(claims.sub, scopes) : 'the provider gave no ID token'
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

  #options(signal?: AbortSignal) {
    const { http } = this.#ports
    return {
      ...(signal && { signal }),
      [oauth.customFetch]: (url: string, request: Parameters<ProviderHttp['fetch']>[1]) => http.fetch(url, request),
      // What is not encrypted is refused where it is sent, unless it stays on this host.
      [oauth.allowInsecureRequests]: true,
    }
  }
}

/** Why a ticket could not say this. A subject has at most 255 ASCII characters: OpenID Connect Core 1.0 section 2. */
function objectionTo(subject: string, scopes: readonly string[]): string | undefined {
  if (!/^[\x20-\x7e]{1,255}$/.test(subject)) return 'the subject is not 1 to 255 ASCII characters'
  return scopes.length > ticketLimits.scopesMax ? 'the provider granted more scopes than a ticket can say' : undefined
}

function tokensOf(tokens: oauth.TokenEndpointResponse): ProviderTokens {
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  return {
    refreshToken: tokens.refresh_token,
    scopes: tokens.scope === undefined ? undefined : scopesOf(tokens.scope),
    identity: claims && { issuer: claims.iss, subject: claims.sub },
  }
}

function scopesOf(text: string): readonly string[] {
  return text
    .split(' ')
    .filter((scope) => scope !== '')
    .slice(0, ticketLimits.scopesMax + 1)
}

/** The OAuth error of an answer, if it has one that is well-formed. @see RFC 6749 section 5.2 */
async function errorOf(answer: Response): Promise<string | undefined> {
  try {
    const body: unknown = await answer.clone().json()
    if (typeof body !== 'object' || body === null || !('error' in body)) return undefined
    return typeof body.error === 'string' && /^[a-z_]{1,64}$/.test(body.error) ? body.error : undefined
  } catch {
    return undefined
  }
}

function refusalOf(error: unknown): Refused {
  if (error instanceof oauth.AuthorizationResponseError)
    return refused('login.refused', `the provider answered the login with ${error.error.slice(0, textMax)}`)
  if (error instanceof oauth.ResponseBodyError) return refused('login.refused', `the provider answered ${error.status} ${error.error.slice(0, textMax)}`)
  return refused('login.provider-failed', messageOf(error))
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, textMax)
}
