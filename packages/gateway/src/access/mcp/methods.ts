import type { JsonObject } from '@sallyport/contract'
import type { AccessRequest, McpEra } from '../access-request.ts'
import { isJsonArray, isJsonObject } from './json-rpc.ts'

/** How a method of the protocol becomes a question to policy. */
export interface MethodRow {
  readonly eras: readonly McpEra[]
  readonly standing: Extract<AccessRequest['standing'], 'call' | 'protocol'>
  /** What it acts on; undefined when the params do not say it as the protocol wants. */
  readonly resource: (params: JsonObject) => string | undefined
  /** How names at the aggregated endpoint say which upstream is meant. */
  readonly addressing?: 'name' | 'uri' | 'reference'
}

const legacy: readonly McpEra[] = ['legacy']
const modern: readonly McpEra[] = ['modern']
const both: readonly McpEra[] = ['legacy', 'modern']

/**
 * Requests that an agent may make. What only keeps the protocol going is `protocol`; whatever reads, writes or sends something of the upstream's is `call`.
 * Completion is a call: it sends what was typed and shows what the upstream knows.
 */
const requests: Readonly<Record<string, MethodRow>> = {
  initialize: { eras: legacy, standing: 'protocol', resource: itself('initialize') },
  ping: { eras: legacy, standing: 'protocol', resource: itself('ping') },
  'server/discover': { eras: modern, standing: 'protocol', resource: itself('server/discover') },
  'tools/list': { eras: both, standing: 'protocol', resource: itself('tools/list') },
  'resources/list': { eras: both, standing: 'protocol', resource: itself('resources/list') },
  'resources/templates/list': { eras: both, standing: 'protocol', resource: itself('resources/templates/list') },
  'prompts/list': { eras: both, standing: 'protocol', resource: itself('prompts/list') },
  'logging/setLevel': { eras: legacy, standing: 'protocol', resource: itself('logging/setLevel') },
  'tools/call': { eras: both, standing: 'call', resource: toolName, addressing: 'name' },
  'prompts/get': { eras: both, standing: 'call', resource: ({ name }) => shortText(name), addressing: 'name' },
  'resources/read': { eras: both, standing: 'call', resource: ({ uri }) => uriText(uri), addressing: 'uri' },
  'resources/subscribe': { eras: legacy, standing: 'call', resource: ({ uri }) => uriText(uri), addressing: 'uri' },
  'resources/unsubscribe': { eras: legacy, standing: 'call', resource: ({ uri }) => uriText(uri), addressing: 'uri' },
  'completion/complete': { eras: both, standing: 'call', resource: referenced, addressing: 'reference' },
  'subscriptions/listen': { eras: modern, standing: 'protocol', resource: itself('subscriptions/listen') },
}

const notifications: Readonly<Record<string, readonly McpEra[]>> = {
  'notifications/initialized': legacy,
  'notifications/roots/list_changed': legacy,
  'notifications/progress': legacy,
  'notifications/cancelled': both,
}

/**
 * The row of a request. A method that the table does not know is a call named after itself, for rules to decide; it must contain a slash, or it could bear the
 * name of a tool and pass as one.
 */
export function requestRow(method: string, era: McpEra, params: JsonObject): MethodRow | undefined {
  const row = Object.hasOwn(requests, method) ? requests[method] : undefined
  if (!row) return method.includes('/') ? { eras: both, standing: 'call', resource: itself(method) } : undefined
  if (!row.eras.includes(era)) return undefined
  // Watching single resources tells what happens to them, so it is a call like reading them.
  return method === 'subscriptions/listen' && watchesResources(params) ? { ...row, standing: 'call' } : row
}

export function isNotificationKnown(method: string, era: McpEra): boolean {
  return Object.hasOwn(notifications, method) && notifications[method]?.includes(era) === true
}

/** The names that the protocol allows for tools: no slash, so never a method's; nothing that only looks like another letter. @see SEP-986 */
export function toolName({ name }: JsonObject): string | undefined {
  return typeof name === 'string' && /^[A-Za-z0-9_.-]{1,128}$/.test(name) && !Object.hasOwn(requests, name) ? name : undefined
}

function watchesResources({ notifications: filter }: JsonObject): boolean {
  if (!isJsonObject(filter)) return false
  const { resourceSubscriptions } = filter
  return resourceSubscriptions !== undefined && !(isJsonArray(resourceSubscriptions) && resourceSubscriptions.length === 0)
}

function referenced({ ref }: JsonObject): string | undefined {
  if (!isJsonObject(ref)) return undefined
  const { type, name, uri } = ref
  if (type === 'ref/prompt' && uri === undefined) return shortText(name)
  return type === 'ref/resource' && name === undefined ? uriText(uri) : undefined
}

function itself(method: string): () => string {
  return () => method
}

function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[^\p{Cc}\p{Cf}]{1,512}$/u.test(value) ? value : undefined
}

function uriText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[^\p{Cc}\p{Cf}\s]{1,8192}$/u.test(value) ? value : undefined
}
