/** Tokens as the identity provider gave them, for the gateway alone. */
export interface ProviderTokens {
  /** Absent where the provider does not rotate: the old one goes on. */
  readonly refreshToken: string | undefined
  /** Undefined where the provider leaves it out, which means unchanged (RFC 6749 section 5.1). */
  readonly scopes: readonly string[] | undefined
  /** Of an ID token that came along, straight from the provider; undefined without one. */
  readonly identity: { readonly issuer: string; readonly subject: string } | undefined
}

/**
 * What became of one request for new tokens.
 *
 * - `refused`: the provider answered 400 or 401, with whatever body: this refresh token will not work again.
 * - `unsent`: certainly nothing was done with the token: no connection came about, or the provider does not know this gateway.
 * - `unknown`: anything else. The provider may or may not have rotated the token.
 */
export type RefreshAnswer =
  | { readonly kind: 'refreshed'; readonly tokens: ProviderTokens }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unsent'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string; readonly how?: 'late' | 'broken-off' | 'odd-answer' }

/** The operator's identity provider, as refresh needs it. */
export interface IdentityProvider {
  /** Sends one request, follows no redirect, repeats nothing, and is over when `signal` aborts. Never rejects. */
  refresh(refreshToken: string, signal: AbortSignal): Promise<RefreshAnswer>
  /** Gives a refresh token back (RFC 7009). False when it is not known to have worked, or the provider has no such endpoint. Never rejects. */
  revoke(refreshToken: string, signal: AbortSignal): Promise<boolean>
}
