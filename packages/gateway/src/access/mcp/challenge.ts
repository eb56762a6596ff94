import { isLoopbackOrigin, isMcpPath, oauthPaths, reachedAtHeader, type Refused } from '@sallyport/contract'
import { headerValue, type Answer, type Inbound } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import type { AccessSnapshot } from '../access-snapshot.ts'

/**
 * Says in the refusal of a call at an MCP address where its program can let a person log in, if it came through a bridge that says how it was reached.
 *
 * @see RFC 6750 section 3, RFC 9728 section 5.1
 */
export function challenged({ clients }: AccessSnapshot, { tenant }: Principal, inbound: Inbound, { problem }: Refused, answer: Answer): Answer {
  const origin = headerValue(inbound.headers, reachedAtHeader)
  const scopes = clients?.scopesFor(tenant)
  if (!scopes || origin === undefined || !isLoopbackOrigin(origin) || !isMcpPath(inbound.path)) return answer
  const parameters = [
    ...(problem.code === 'identity.ticket-invalid' ? ['error="invalid_token"'] : []),
    `resource_metadata="${origin}${oauthPaths.resourceMetadata}${inbound.path}"`,
    ...(scopes.length > 0 ? [`scope="${scopes.join(' ')}"`] : []),
  ]
  return { ...answer, headers: [...answer.headers, ['www-authenticate', `Bearer ${parameters.join(', ')}`]] }
}
