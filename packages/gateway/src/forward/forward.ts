import { unreachable } from '@sallyport/contract'
import { spendReceipt, type Receipt } from '../audit/receipt.ts'
import type { PolicySnapshot } from '../policy/snapshot.ts'
import type { Exchanges } from './exchange.ts'
import type { Forwarded } from './forwarded.ts'
import { forwardHttp } from './http/forward-http.ts'
import { forwardLlm } from './llm/forward-llm.ts'
import { forwardMcp, type McpPorts } from './mcp/forward-mcp.ts'
import { forwardListing } from './mcp/learn-tools.ts'
import { serveOwn, type OwnActs } from './own/serve-own.ts'

export interface ForwardPorts {
  readonly exchanges: Exchanges
  readonly mcp: McpPorts
  readonly own: OwnActs
}

/**
 * Sends the permitted call, once.
 *
 * Only a genuine receipt that was never used sends anything; anything else is a bug and throws. What leaves is the call that was judged, kept in the receipt.
 */
export async function forward(ports: ForwardPorts, policy: PolicySnapshot, receipt: Receipt): Promise<Forwarded> {
  if (!spendReceipt(receipt)) throw new TypeError('forward needs a fresh receipt')
  const { principal, call } = receipt.request
  switch (call.kind) {
    case 'http':
      return forwardHttp(ports.exchanges, call, principal)
    case 'llm':
      return forwardLlm(ports.exchanges, call, principal)
    case 'mcp':
      return forwardMcp(ports.mcp, policy, principal, call)
    case 'mcp-listing':
      return forwardListing(ports.mcp, policy, principal, call.upstream, call.call)
    case 'gateway':
      return serveOwn(ports.own, policy, principal, call)
    default:
      return unreachable(call)
  }
}
