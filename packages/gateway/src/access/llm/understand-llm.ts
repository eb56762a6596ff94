import { refused, type Json, type Refused } from '@sallyport/contract'
import type { Inbound } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import type { AccessRequest, LlmCall, TokenCeiling } from '../access-request.ts'
import { readQuery } from '../http/read-query.ts'
import { readTarget } from '../http/read-target.ts'
import { readJudgedJson } from '../judged-json.ts'
import { isJson, parseMediaType } from '../media-type.ts'
import { endpointAt, pathsOf, type Endpoint, type LlmEndpoint } from './endpoints.ts'
import { llmHeaders, readBetas } from './llm-headers.ts'
import type { LlmUpstreamAccess } from './llm-upstream.ts'
import { readLlmBody, type ReadLlmBody } from './read-llm-body.ts'

/** The resource of a call that is about no model in particular. */
const allModels = 'models'
/** No endpoint takes a query parameter more than once. */
const noLists: ReadonlySet<string> = new Set()

/**
 * Reads a call to a language model: which endpoint, which model, offering which tools, and how much it can use at most. What will be forwarded is written anew from
 * what was read here; of the agent's headers only those pass that the API needs, and never a credential.
 *
 * `rest` is the part below `/llm/<upstream>`.
 *
 * Refuses `access.unknown-target`, `access.method-not-allowed`, `access.malformed`, `access.unsupported-media` and `access.too-large`.
 *
 * @throws BodyError when the body does not arrive as announced.
 */
export async function understandLlm(
  upstream: LlmUpstreamAccess,
  principal: Principal,
  inbound: Inbound,
  rest: { readonly path: string; readonly query: string },
  limits: { readonly judgedBodyBytesMax: number },
): Promise<AccessRequest | Refused> {
  const found = endpointAt(upstream.api, rest.path)
  if (!found) return refused('access.unknown-target', undefined, { detail: `Agents can call ${pathsOf(upstream.api).join(', ')} here.` })
  if (inbound.method !== found.method) return refused('access.method-not-allowed', undefined, { detail: `Use ${found.method}.` })
  const target = readTarget(rest.path, rest.query, false)
  if (target.kind === 'malformed') return malformed(target.reason)
  const query = readQuery(target.parameters, noLists)
  if (query.kind === 'malformed') return malformed(query.reason)
  const stray = Object.keys(query.members).find((name) => !found.query.includes(name))
  if (stray !== undefined) return malformed('the query has a parameter that this endpoint does not take')
  const headers = llmHeaders(inbound.headers, found.method === 'POST')
  if (headers.kind === 'malformed') return malformed(headers.reason)
  const betas = readBetas(headers.headers)
  if (!betas) return malformed('the list of beta features is no list of names')

  const asked =
    found.endpoint === 'models.list' ? aboutModels(inbound, query.members) : await aboutOne(found.endpoint, upstream, inbound, limits.judgedBodyBytesMax)
  if (asked.kind === 'refused') return asked
  return {
    id: inbound.id,
    principal,
    upstream: upstream.name,
    action: found.endpoint,
    resource: asked.resource,
    args: { ...asked.args, betas },
    context: { protocol: 'llm', method: inbound.method, remoteAddress: inbound.connection.remoteAddress },
    standing: 'call',
    call: callOf(found, upstream, target.text, headers.headers, asked, inbound.signal),
  }
}

interface Asked {
  readonly kind: 'asked'
  readonly resource: string
  readonly args: { readonly [name: string]: Json }
  readonly body: Uint8Array | undefined
  readonly hidesUsage: boolean
  readonly ceiling: TokenCeiling | undefined
}

function callOf(
  { endpoint, method }: Endpoint,
  { name }: LlmUpstreamAccess,
  target: string,
  headers: LlmCall['headers'],
  { body, hidesUsage, ceiling }: Asked,
  signal: AbortSignal,
): LlmCall {
  return { kind: 'llm', upstream: name, method, target, headers, body, endpoint, hidesUsage, ceiling, signal }
}

function aboutModels({ body }: Inbound, query: Json): Asked | Refused {
  if (body && body.length !== 0) return malformed('a GET request has no body')
  return { kind: 'asked', resource: allModels, args: { query }, body: undefined, hidesUsage: false, ceiling: undefined }
}

async function aboutOne(
  endpoint: Exclude<LlmEndpoint, 'models.list'>,
  upstream: LlmUpstreamAccess,
  inbound: Inbound,
  bytesMax: number,
): Promise<Asked | Refused> {
  const types = inbound.headers.filter(([name]) => name === 'content-type')
  const type = types.length === 1 ? parseMediaType(types[0]?.[1] ?? '') : undefined
  if (!type || !isJson(type)) return refused('access.unsupported-media', undefined, { detail: 'The body is JSON, and its content-type says so.' })
  const judged = await readJudgedJson(inbound, type, bytesMax)
  if (judged.kind === 'refused') return judged
  if (judged.kind === 'none') return malformed('the body is empty')
  const read = readLlmBody(endpoint, judged.value, upstream.maxOutputTokens)
  if (read.kind === 'malformed') return malformed(read.reason)
  const { model, stream, tools, messageCount, maxTokens, body, hidesUsage } = read
  const bytes = read.body === judged.value ? judged.bytes : Buffer.from(JSON.stringify(body))
  return {
    kind: 'asked',
    resource: model,
    args: { model, stream, tools, messageCount, ...(maxTokens !== undefined && { maxTokens }), body },
    body: bytes,
    hidesUsage,
    ceiling: ceilingOf(endpoint, read, bytes.length, upstream),
  }
}

function ceilingOf(
  endpoint: LlmEndpoint,
  { model, maxTokens, answers }: ReadLlmBody,
  bodyBytes: number,
  { prices }: LlmUpstreamAccess,
): TokenCeiling | undefined {
  if (endpoint === 'messages.count_tokens') return undefined
  const outputTokens = endpoint === 'embeddings' ? 0 : maxTokens === undefined ? undefined : maxTokens * answers
  return { inputTokens: bodyBytes, outputTokens, price: prices.get(model) }
}

function malformed(detail: string): Refused {
  return refused('access.malformed', undefined, { detail: `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.` })
}
