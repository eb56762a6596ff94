import { problemTypeBase, type Json, type JsonObject } from '@sallyport/contract'
import type { JsonRpcMessage } from '../../access/access-request.ts'
import { isJsonObject, without } from '../../access/mcp/json-rpc.ts'
import { ownMetaPrefix } from '../../access/mcp/mcp-refusal.ts'

/** An upstream's message without what only the gateway says: members of `_meta` under its name, and its problem documents as the data of an error. */
export function withoutOwnWord(message: JsonRpcMessage): JsonRpcMessage {
  const { params, result, error } = message.value
  const value = {
    ...message.value,
    ...(hasOwnMeta(params) && { params: withoutOwnMeta(params) }),
    ...(hasOwnMeta(result) && { result: withoutOwnMeta(result) }),
    ...(isJsonObject(error) && isProblem(error['data']) && { error: without(error, 'data') }),
  }
  return { ...message, value }
}

type HasMeta = JsonObject & { readonly _meta: JsonObject }

function hasOwnMeta(part: Json | undefined): part is HasMeta {
  return isJsonObject(part) && isJsonObject(part['_meta']) && Object.keys(part['_meta']).some(isOwn)
}

function withoutOwnMeta(part: HasMeta): JsonObject {
  return { ...part, _meta: without(part._meta, ...Object.keys(part._meta).filter(isOwn)) }
}

function isOwn(name: string): boolean {
  return name.toLowerCase().startsWith(ownMetaPrefix)
}

function isProblem(data: Json | undefined): boolean {
  return isJsonObject(data) && typeof data['type'] === 'string' && data['type'].startsWith(problemTypeBase)
}
