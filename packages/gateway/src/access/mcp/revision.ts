import type { JsonObject } from '@sallyport/contract'
import type { McpEra } from '../access-request.ts'
import { isJsonObject } from './json-rpc.ts'

export const modernRevision = '2026-07-28'
export const legacyRevision = '2025-11-25'

/** Revisions before 2025-11-25 share its transport; what they add (batches) is refused as malformed. */
const legacyRevisions: ReadonlySet<string> = new Set([legacyRevision, '2025-06-18', '2025-03-26'])

/** Newest first, as offered to callers. */
export const supportedRevisions: readonly string[] = [modernRevision, ...legacyRevisions]

export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const

export function eraOf(revision: string): McpEra | undefined {
  if (revision === modernRevision) return 'modern'
  return legacyRevisions.has(revision) ? 'legacy' : undefined
}

export function metaOf({ _meta }: JsonObject): JsonObject {
  return isJsonObject(_meta) ? _meta : {}
}

/** The revision that a request claims for itself, in its body. */
export function claimedRevision(params: JsonObject): { readonly revision: string | undefined } | undefined {
  const claim = metaOf(params)[metaKeys.protocolVersion]
  return claim === undefined ? undefined : { revision: typeof claim === 'string' ? claim : undefined }
}
