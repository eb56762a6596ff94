import type { TenantName, UpstreamName } from '@sallyport/contract'
import type { A2aUpstreamAccess } from './a2a/a2a-upstream.ts'
import type { HttpUpstreamAccess } from './http/compile-http-upstream.ts'
import type { LlmUpstreamAccess } from './llm/llm-upstream.ts'
import type { McpUpstreamAccess } from './mcp/mcp-upstream.ts'

export type UpstreamAccess = HttpUpstreamAccess | McpUpstreamAccess | LlmUpstreamAccess | A2aUpstreamAccess

/** What access needs to know of the configuration, compiled once per revision. */
export interface AccessSnapshot {
  readonly upstreams: ReadonlyMap<UpstreamName, UpstreamAccess>
  /** The largest JSON body or message that is read whole and judged. */
  readonly judgedBodyBytesMax: number
  /** Opens and closes the session ids that agents hold; 32 bytes. */
  readonly sessionKey: Uint8Array
  /** Undefined: programs cannot let their person log in here. */
  readonly clients: ClientRules | undefined
}

export interface ClientRules {
  /** What a program may ask for, for agents of this tenant; undefined where nobody can log in for them. */
  scopesFor(tenant: TenantName): readonly string[] | undefined
}
