import type { Refused } from '@sallyport/contract'
import type { Exchanges } from '../exchange.ts'
import { CallsInFlight } from './calls-in-flight.ts'
import type { Implementation } from './revision-bridge.ts'
import type { StdioServers } from './stdio-servers.ts'
import type { ToolSight } from './tool-sight.ts'
import { UpstreamLinks } from './upstream-links.ts'

export interface McpPorts {
  readonly exchanges: Exchanges
  readonly stdio: StdioServers
  readonly tools: ToolSight
  /** The same as access opens sessions with; 32 bytes. */
  readonly sessionKey: Uint8Array
  /** A fresh unguessable id of visible ASCII. */
  readonly newId: () => string
  readonly self: Implementation
  /** How long one upstream may hold up a list at the aggregated endpoint. */
  readonly listDeadlineMs: number
  readonly links: UpstreamLinks
  readonly calls: CallsInFlight
  /** Listings of the gateway's own that are under way, by tenant and upstream. */
  readonly listings: Map<string, Promise<Refused | undefined>>
}

const listDeadlineMsDefault = 10_000

export function mcpPorts(
  given: Pick<McpPorts, 'exchanges' | 'stdio' | 'tools' | 'sessionKey' | 'newId'> & {
    readonly version: string
    readonly listDeadlineMs?: number
    readonly cancelElsewhere?: (key: string) => void
  },
): McpPorts {
  const { exchanges, stdio, tools, sessionKey, newId, version, listDeadlineMs = listDeadlineMsDefault, cancelElsewhere } = given
  const self = { name: 'sallyport', version }
  return {
    exchanges,
    stdio,
    tools,
    sessionKey,
    newId,
    self,
    listDeadlineMs,
    links: new UpstreamLinks(exchanges, self),
    calls: new CallsInFlight(cancelElsewhere),
    listings: new Map(),
  }
}
