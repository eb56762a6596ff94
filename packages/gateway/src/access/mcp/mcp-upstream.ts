import { createHash } from 'node:crypto'
import { canonicalJson, sizeBytes, type McpHttpUpstreamConfiguration, type McpStdioUpstreamConfiguration, type UpstreamName } from '@sallyport/contract'

/** `pinned`: as they were first seen. `approved`: as a person accepted them. `unpinned`: as the upstream gives them. */
export type Pinning = 'pinned' | 'approved' | 'unpinned'

/** What the MCP stages need to know of an upstream. */
export interface McpUpstreamAccess {
  readonly protocol: 'mcp'
  readonly name: UpstreamName
  /** SHA-256 of what is configured of it: after a change another server may be behind the name. */
  readonly revision: string
  readonly transport: 'http' | 'stdio'
  /** Methods that the server may request of the agent. */
  readonly serverRequests: ReadonlySet<string>
  /** Whose definitions of tools reach agents. */
  readonly tools: Pinning
  /** The largest single message taken from the upstream. */
  readonly messageBytesMax: number
}

/** Where `answerBytesMax` says nothing. */
export const messageBytesMaxDefault = 8 * 1024 * 1024

export function compileMcpUpstream(name: UpstreamName, given: McpHttpUpstreamConfiguration | McpStdioUpstreamConfiguration): McpUpstreamAccess {
  return {
    protocol: 'mcp',
    name,
    revision: createHash('sha256').update(canonicalJson(given)).digest('base64url'),
    transport: 'command' in given ? 'stdio' : 'http',
    serverRequests: new Set(given.serverRequests),
    tools: given.tools ?? 'pinned',
    messageBytesMax: given.answerBytesMax === undefined ? messageBytesMaxDefault : sizeBytes(given.answerBytesMax),
  }
}
