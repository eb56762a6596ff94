import { unreachable } from '@sallyport/contract'
import type { AccessRequest } from '../access/access-request.ts'
import { spendReceipt, type Receipt } from '../audit/receipt.ts'
import { ResultWatch } from '../policy/results.ts'
import type { PolicySnapshot } from '../policy/snapshot.ts'
import { forwardA2a } from './a2a/forward-a2a.ts'
import type { Exchanges } from './exchange.ts'
import type { Forwarded } from './forwarded.ts'
import { forwardHttp } from './http/forward-http.ts'
import { forwardLlm } from './llm/forward-llm.ts'
import { forwardMcp, type McpPorts } from './mcp/forward-mcp.ts'
import { forwardListing } from './mcp/learn-tools.ts'
import { serveClientLogin } from './own/serve-client-login.ts'
import { serveDelegation, type Delegations } from './own/serve-delegation.ts'
import { serveOwn, type OwnActs } from './own/serve-own.ts'

export interface ForwardPorts {
  readonly exchanges: Exchanges
  readonly mcp: McpPorts
  readonly own: OwnActs
  readonly delegations: Delegations
}

/**
 * Sends the permitted call, once.
 *
 * Only a genuine receipt that was never used sends anything; anything else is a bug and throws. What leaves is the call that was judged, kept in the receipt.
 * What comes back is looked through as the rules for results say.
 */
export async function forward(ports: ForwardPorts, policy: PolicySnapshot, receipt: Receipt): Promise<Forwarded> {
  if (!spendReceipt(receipt)) throw new TypeError('forward needs a fresh receipt')
  const { request } = receipt
  const results = new ResultWatch(policy.results, request)
  const forwarded = await send(ports, policy, request, results)
  return { ...forwarded, finished: forwarded.finished.then((facts) => ({ ...facts, ...results.found })) }
}

async function send(ports: ForwardPorts, policy: PolicySnapshot, { principal, upstream, call }: AccessRequest, results: ResultWatch): Promise<Forwarded> {
  switch (call.kind) {
    case 'http':
      return forwardHttp(ports.exchanges, call, principal, results.at(upstream))
    case 'llm':
      return forwardLlm(ports.exchanges, call, principal, results.at(upstream))
    case 'a2a':
      return forwardA2a(ports.exchanges, ports.delegations, call, principal, results.at(upstream))
    case 'mcp':
      return forwardMcp(ports.mcp, policy, principal, { ...call, results })
    case 'mcp-listing':
      return forwardListing(ports.mcp, policy, principal, call.upstream, call.call)
    case 'delegation':
      return serveDelegation(ports.delegations, principal, call)
    case 'client-login':
      return serveClientLogin(ports.own, policy, principal, call)
    case 'gateway':
      return serveOwn(ports.own, policy, principal, call)
    default:
      return unreachable(call)
  }
}
