import type { Json, JsonObject, UpstreamName } from '@sallyport/contract'
import { isJsonArray, isJsonObject } from '../../access/mcp/json-rpc.ts'
import { joinName, joinUri } from '../../access/mcp/namespace.ts'

/** What one agent may see of one upstream. */
export interface View {
  readonly upstream: UpstreamName
  /** Whether rules could ever let the agent do this action there. */
  readonly isReachable: (action: string) => boolean
  /** At the aggregated endpoint every name says which upstream it belongs to. */
  readonly isNamespaced: boolean
}

interface ListRow {
  readonly member: string
  readonly named: 'name' | 'uri' | 'uriTemplate'
  /** The action that reaching an item takes; absent for tools, whose action is their name. */
  readonly action?: string
}

const lists: Readonly<Record<string, ListRow>> = {
  'tools/list': { member: 'tools', named: 'name' },
  'prompts/list': { member: 'prompts', named: 'name', action: 'prompts/get' },
  'resources/list': { member: 'resources', named: 'uri', action: 'resources/read' },
  'resources/templates/list': { member: 'resourceTemplates', named: 'uriTemplate', action: 'resources/read' },
}

/**
 * A result with only what the agent could reach. `method` is the request's, or undefined on a stream that is resumed, where a result is known by its shape
 * alone: an agent must not get a list unfiltered by asking for it and coming back for the answer.
 */
export function visibleResult(method: string | undefined, result: JsonObject, view: View): JsonObject {
  const rows = method === undefined ? Object.values(lists) : Object.hasOwn(lists, method) ? [lists[method]] : []
  let visible = result
  for (const row of rows) if (row && row.member in visible) visible = { ...visible, [row.member]: visibleItems(visible[row.member], row, view) }
  if (visible !== result && visible['cacheScope'] !== undefined) visible = { ...visible, cacheScope: 'private' } // it is this agent's view
  return view.isNamespaced ? namespaced(visible, view.upstream) : visible
}

function visibleItems(items: Json | undefined, { named, action }: ListRow, { upstream, isReachable, isNamespaced }: View): readonly Json[] {
  if (!isJsonArray(items)) return []
  return items.flatMap((item) => {
    const name = isJsonObject(item) ? item[named] : undefined
    if (!isJsonObject(item) || typeof name !== 'string' || !isReachable(action ?? name)) return []
    return [isNamespaced ? { ...item, [named]: named === 'name' ? joinName(upstream, name) : joinUri(upstream, name) } : item]
  })
}

/** Resource URIs in what tools, prompts and reads give back, so that the agent can use them where it found them. */
function namespaced(result: JsonObject, upstream: UpstreamName): JsonObject {
  const { contents, content, messages } = result
  return {
    ...result,
    ...(isJsonArray(contents) && { contents: contents.map((item) => withUri(item, upstream)) }),
    ...(isJsonArray(content) && { content: content.map((block) => withBlockUri(block, upstream)) }),
    ...(isJsonArray(messages) && {
      messages: messages.map((message) => (isJsonObject(message) ? { ...message, content: withBlockUri(message['content'] ?? null, upstream) } : message)),
    }),
  }
}

function withBlockUri(block: Json, upstream: UpstreamName): Json {
  if (!isJsonObject(block)) return block
  if (block['type'] === 'resource_link') return withUri(block, upstream)
  return block['type'] === 'resource' ? { ...block, resource: withUri(block['resource'] ?? null, upstream) } : block
}

export function withUri(item: Json, upstream: UpstreamName): Json {
  return isJsonObject(item) && typeof item['uri'] === 'string' ? { ...item, uri: joinUri(upstream, item['uri']) } : item
}
