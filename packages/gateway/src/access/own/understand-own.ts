import { ownPaths, parseJson, parseUpstreamName, refused, type Json, type Refused } from '@sallyport/contract'
import type { Inbound } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import { ownUpstream, type AccessRequest, type GatewayCall } from '../access-request.ts'
import { readJudgedBody } from '../judged-body.ts'

const operations: Record<string, { readonly method: string; readonly operation: GatewayCall['operation'] } | undefined> = {
  [ownPaths.whoami]: { method: 'GET', operation: 'whoami' },
  [ownPaths.catalog]: { method: 'GET', operation: 'catalog' },
  [ownPaths.certificate]: { method: 'POST', operation: 'certificate.renew' },
  [ownPaths.sessionClaim]: { method: 'POST', operation: 'session.claim' },
  [ownPaths.sessionRefresh]: { method: 'POST', operation: 'session.refresh' },
  [ownPaths.sessionEnd]: { method: 'POST', operation: 'session.end' },
  [ownPaths.jwks]: { method: 'GET', operation: 'jwks' },
}

/** What an agent asks of the gateway itself. Refuses `access.unknown-target`, `access.method-not-allowed`, `access.malformed`. */
export async function understandOwn(principal: Principal, inbound: Inbound, bodyBytesMax: number): Promise<AccessRequest | Refused> {
  const found = operations[inbound.path]
  const upstream = parseUpstreamName(ownUpstream)
  if (!found || !upstream || inbound.query !== '') return refused('access.unknown-target')
  if (inbound.method !== found.method) return refused('access.method-not-allowed', undefined, { detail: `Use ${found.method}.` })
  let input: Json | undefined
  if (found.method === 'POST') {
    const body = await readJudgedBody(inbound, bodyBytesMax)
    if (body.kind === 'refused') return body
    const parsed = parseJson(body.bytes)
    if (parsed.kind === 'refused') return refused('access.malformed', parsed.reason, { detail: `The body is not strict JSON: ${parsed.reason}` })
    input = parsed.value
  }
  return {
    id: inbound.id,
    principal,
    upstream,
    action: found.operation,
    resource: inbound.path,
    args: undefined,
    context: { protocol: 'gateway', method: inbound.method, remoteAddress: inbound.connection.remoteAddress },
    standing: 'own',
    call: { kind: 'gateway', operation: found.operation, input, caller: { connection: inbound.connection, signal: inbound.signal } },
  }
}
