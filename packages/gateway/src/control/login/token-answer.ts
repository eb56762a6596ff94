import { refused, ticketLimits, type Refused } from '@sallyport/contract'
import * as oauth from 'oauth4webapi'
import type { ProviderTokens } from '../sessions/identity-provider.ts'

/** Of what is shown of the person, and of what a provider says went wrong. */
export const textMax = 256

/** Why a ticket could not say this. A subject has at most 255 ASCII characters: OpenID Connect Core 1.0 section 2. */
export function objectionTo(subject: string, scopes: readonly string[]): string | undefined {
  if (!/^[\x20-\x7e]{1,255}$/.test(subject)) return 'the subject is not 1 to 255 ASCII characters'
  return scopes.length > ticketLimits.scopesMax ? 'the provider granted more scopes than a ticket can say' : undefined
}

export function tokensOf(tokens: oauth.TokenEndpointResponse): ProviderTokens {
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  return {
    refreshToken: tokens.refresh_token,
    scopes: tokens.scope === undefined ? undefined : scopesOf(tokens.scope),
    identity: claims && { issuer: claims.iss, subject: claims.sub },
  }
}

export function scopesOf(text: string): readonly string[] {
  return text
    .split(' ')
    .filter((scope) => scope !== '')
    .slice(0, ticketLimits.scopesMax + 1)
}

/** The OAuth error of an answer, if it has one that is well-formed. @see RFC 6749 section 5.2 */
export async function errorOf(answer: Response): Promise<string | undefined> {
  try {
    const body: unknown = await answer.clone().json()
    if (typeof body !== 'object' || body === null || !('error' in body)) return undefined
    return typeof body.error === 'string' && /^[a-z_]{1,64}$/.test(body.error) ? body.error : undefined
  } catch {
    return undefined
  }
}

export function refusalOf(error: unknown): Refused {
  if (error instanceof oauth.AuthorizationResponseError)
    return refused('login.refused', `the provider answered the login with ${error.error.slice(0, textMax)}`)
  if (error instanceof oauth.ResponseBodyError) return refused('login.refused', `the provider answered ${error.status} ${error.error.slice(0, textMax)}`)
  return refused('login.provider-failed', messageOf(error))
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, textMax)
}
