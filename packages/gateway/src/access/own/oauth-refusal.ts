import { oauthPaths, ownPaths, problemHeader, problems, problemTypeBase, type Problem, type TokenExchangeError } from '@sallyport/contract'
import type { Answer } from '../../edge/inbound.ts'

/** Where refusals are told as OAuth has them. */
export function isOauthEndpoint(path: string): boolean {
  return path === ownPaths.sessionDelegate || path === oauthPaths.token || path === oauthPaths.revoke
}

/**
 * A refusal as clients of OAuth read it, with the gateway's own code in the header. What the caller may not do is `invalid_target`; a ticket that does not count is
 * `invalid_request`, a certificate `invalid_client`, and a code or a handle `invalid_grant`.
 *
 * @see RFC 6749 section 5.2, RFC 8693 section 2.2.2, RFC 7009 section 2.2.1
 */
export function oauthRefusal(problem: Problem): Answer {
  const error = errorOf(problem)
  const { status } = problems[problem.code]
  const body: TokenExchangeError = { error, error_description: describe(problem), error_uri: `${problemTypeBase}${problem.code}` }
  return {
    status: error === 'temporarily_unavailable' ? status : error === 'invalid_client' ? 401 : 400,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
      [problemHeader, problem.code],
      ...(problem.retryAfterSeconds === undefined ? [] : ([['retry-after', String(problem.retryAfterSeconds)]] as const)),
    ],
    body: Buffer.from(JSON.stringify(body)),
  }
}

function errorOf({ code }: Problem): TokenExchangeError['error'] {
  const { status } = problems[code]
  if (status >= 500 || status === 429) return 'temporarily_unavailable'
  switch (code) {
    case 'identity.ticket-invalid':
      return 'invalid_request'
    case 'access.unknown-method':
      return 'unsupported_grant_type'
    case 'access.scope-unavailable':
      return 'invalid_scope'
    case 'login.code-invalid':
      return 'invalid_grant'
    case 'login.client-refused':
      return 'invalid_client'
    case 'access.unknown-upstream':
    case 'access.delegation-refused':
      return 'invalid_target'
    default:
      if (code.startsWith('session.')) return 'invalid_grant'
      return code.startsWith('identity.') ? 'invalid_client' : code.startsWith('policy.') ? 'invalid_target' : 'invalid_request'
  }
}

/** In the characters that the RFC allows. */
function describe({ code, detail, approval }: Problem): string {
  const held = approval && `Approval ${approval.id} is open until ${approval.expiresAt}.`
  return [problems[code].title, detail, held]
    .flatMap((text) => text ?? [])
    .join('. ')
    .replaceAll('..', '.')
    .replaceAll(/["\\]/g, "'")
    .replaceAll(/[^\x20-\x7e]/g, '?')
}
