import * as oauth from 'oauth4webapi'
import type { ShownCredential } from './client-credential.ts'
import { isBrokenOff } from './provider-http.ts'
import type { ProviderLink } from './provider-link.ts'
import { errorOf, messageOf } from './token-answer.ts'

/** Well-formed, and no provider's. */
const noToken = 'sallyport-asks-whether-it-is-known-and-has-no-token'

/** Connections that a provider ends over one certificate, one after another, until that is its answer. */
export const endedConnectionsMax = 3

/** What a provider says to a credential. */
export type CredentialTrial = { readonly kind: 'refused' } | { readonly kind: 'unclear'; readonly reason: string } | { readonly kind: 'accepted' }

/**
 * Asks whether the provider takes this credential, by a refresh token that nobody has: which client asks is settled before the token is looked at. Whether a
 * provider does so shows only beside another credential, to which it answers otherwise. Never rejects.
 *
 * @see RFC 6749 section 5.2
 */
export async function tryCredential(link: ProviderLink, credential: ShownCredential, signal: AbortSignal): Promise<CredentialTrial> {
  const isCertificate = credential.method === 'tls' || credential.method === 'no-certificate'
  for (let ended = 1; ; ended += 1) {
    const trial = await tryOnce(link, credential, signal)
    if (trial !== 'ended') return trial
    // TLS that does not like a certificate often says so by ending the connection, and so does a network now and then.
    if (!isCertificate) return { kind: 'unclear', reason: 'the provider ended the connection' }
    if (ended === endedConnectionsMax) return { kind: 'refused' }
  }
}

async function tryOnce(link: ProviderLink, credential: ShownCredential, signal: AbortSignal): Promise<CredentialTrial | 'ended'> {
  try {
    const { server, client, proof, options } = await link.prepare(signal, credential)
    const answer = await oauth.refreshTokenGrantRequest(server, client, proof, noToken, options)
    return trialOf(answer.status, await errorOf(answer))
  } catch (error) {
    return isBrokenOff(error) ? 'ended' : { kind: 'unclear', reason: messageOf(error) }
  }
}

/** @see RFC 6749 section 5.2 */
function trialOf(status: number, error: string | undefined): CredentialTrial {
  if (status === 401 && (error === 'invalid_client' || error === undefined)) return { kind: 'refused' }
  if (status === 400 && error === 'invalid_client') return { kind: 'refused' }
  if (status === 400 && error !== undefined && clientIsKnown.has(error)) return { kind: 'accepted' }
  return { kind: 'unclear', reason: `the provider answered ${status}${error === undefined ? '' : ` ${error}`}` }
}

/** What is said to a client that was recognised. */
const clientIsKnown: ReadonlySet<string> = new Set(['invalid_grant', 'unauthorized_client', 'unsupported_grant_type'])
