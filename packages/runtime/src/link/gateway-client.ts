import type { Readable } from 'node:stream'
import { parseUpstreamName } from '@sallyport/contract'
import type { HeaderPairs } from './header-pairs.ts'
import { linkLimits, type GatewayLink, type LinkRequest, type RefusedByGateway } from './gateway-link.ts'
import { separateProblem } from './read-answer.ts'

export interface HttpCall {
  readonly method: string
  /** Starts with a slash; may carry a query. */
  readonly path: string
  readonly headers?: HeaderPairs
  readonly body?: Uint8Array | Readable
  /** A ticket that another agent has passed on: the call is in its session. */
  readonly ticket?: string
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: HeaderPairs
  /** Must be read or destroyed. */
  readonly body: Readable
}

/** An agent's calls through the gateway, refusals as values. */
export interface GatewayClient extends Pick<GatewayLink, 'whoami' | 'catalog' | 'renew' | 'close'> {
  /**
   * Calls an HTTP upstream by its configured name.
   *
   * A problem document of the gateway becomes `refused`. Redirects are answers like any other.
   *
   * @throws Fault as `GatewayLink.request`. @throws TypeError for a name or path that cannot be one.
   */
  callHttp(upstream: string, call: HttpCall): Promise<RefusedByGateway | HttpAnswer>
}

export function gatewayClient(link: GatewayLink): GatewayClient {
  return {
    whoami: link.whoami,
    catalog: link.catalog,
    renew: link.renew,
    close: link.close,
    callHttp: async (upstream, { method, path, headers = [], body, ticket, signal }) => {
      if (parseUpstreamName(upstream) === undefined) throw new TypeError(`${JSON.stringify(upstream)} is no name of an upstream`)
      if (!path.startsWith('/')) throw new TypeError('a path starts with a slash')
      const request: LinkRequest = {
        method,
        path: `/http/${upstream}${path}`,
        headers,
        headMsMax: linkLimits.headMsMax,
        ...(body && { body }),
        ...(ticket !== undefined && { ticket }),
        ...(signal && { signal }),
      }
      const separated = await separateProblem(await link.request(request))
      return separated.kind === 'refused' ? separated : { kind: 'answer', ...separated.answer }
    },
  }
}
