import { unreachable, type JsonObject, type UpstreamName } from '@sallyport/contract'
import type { JsonRpcRequest } from '../access-request.ts'
import type { UpstreamAccess } from '../access-snapshot.ts'
import { isJsonObject, paramsOf } from './json-rpc.ts'
import type { McpUpstreamAccess } from './mcp-upstream.ts'
import type { MethodRow } from './methods.ts'
import { splitName, splitUri, type Named } from './namespace.ts'

type Upstreams = ReadonlyMap<UpstreamName, UpstreamAccess>

/** Finds the upstream that a namespaced name means, and the message as that upstream must get it. */
export function resolve(
  upstreams: Upstreams,
  message: JsonRpcRequest,
  row: MethodRow,
): { readonly upstream: McpUpstreamAccess | undefined; readonly message: JsonRpcRequest } {
  const params = paramsOf(message)
  const named = nameIn(params, row)
  const upstream = named && mcpUpstream(upstreams, named.upstream)
  if (!named || !upstream) return { upstream: undefined, message }
  return { upstream, message: { ...message, value: { ...message.value, params: withName(params, row, named.name) } } }
}

function nameIn(params: JsonObject, row: MethodRow): Named | undefined {
  const { name, uri, ref } = params
  switch (row.addressing) {
    case 'name':
      return typeof name === 'string' ? splitName(name) : undefined
    case 'uri':
      return typeof uri === 'string' ? splitUri(uri) : undefined
    case 'reference':
      return isJsonObject(ref) ? nameIn(ref, { ...row, addressing: ref['type'] === 'ref/resource' ? 'uri' : 'name' }) : undefined
    case undefined:
      return undefined
    default:
      return unreachable(row.addressing)
  }
}

function withName(params: JsonObject, row: MethodRow, name: string): JsonObject {
  const { ref } = params
  if (row.addressing !== 'reference') return { ...params, [row.addressing ?? 'name']: name }
  return isJsonObject(ref) ? { ...params, ref: { ...ref, [ref['type'] === 'ref/resource' ? 'uri' : 'name']: name } } : params
}

export function mcpUpstream(upstreams: Upstreams, name: UpstreamName): McpUpstreamAccess | undefined {
  const upstream = upstreams.get(name)
  return upstream?.protocol === 'mcp' ? upstream : undefined
}
