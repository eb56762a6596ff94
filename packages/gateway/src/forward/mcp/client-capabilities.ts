import type { JsonObject } from '@sallyport/contract'
import type { JsonRpcMessage } from '../../access/access-request.ts'
import { isJsonObject, paramsOf, without } from '../../access/mcp/json-rpc.ts'
import { metaKeys, metaOf } from '../../access/mcp/revision.ts'

/** The capability behind each request that a server can make; a capability without a row is about the client alone and passes. */
const capabilityOf: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
}

/** The capabilities that the gateway declares for itself where a server may make these requests. */
export function declaredCapabilities(serverRequests: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(capabilityOf).flatMap(([method, capability]) => (serverRequests.has(method) ? [[capability, {}]] : [])))
}

/** Takes out of an agent's message the capabilities that the server may not use, so that a well-meaning server does not even try. */
export function narrowCapabilities(message: JsonRpcMessage, serverRequests: ReadonlySet<string>): JsonRpcMessage {
  if (message.kind !== 'request') return message
  const params = paramsOf(message)
  const { capabilities } = params
  const meta = metaOf(params)
  const declared = meta[metaKeys.clientCapabilities]
  if (message.method === 'initialize' && isJsonObject(capabilities))
    return withParams(message, { ...params, capabilities: narrow(capabilities, serverRequests) })
  if (!isJsonObject(declared)) return message
  return withParams(message, { ...params, _meta: { ...meta, [metaKeys.clientCapabilities]: narrow(declared, serverRequests) } })
}

function narrow(capabilities: JsonObject, serverRequests: ReadonlySet<string>): JsonObject {
  const refused = Object.entries(capabilityOf).flatMap(([method, capability]) => (serverRequests.has(method) ? [] : [capability]))
  return without(capabilities, 'tasks', ...refused)
}

function withParams(message: JsonRpcMessage, params: JsonObject): JsonRpcMessage {
  return { ...message, value: { ...message.value, params } }
}
