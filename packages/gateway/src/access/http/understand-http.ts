import { refused, unreachable, type Refused } from '@sallyport/contract'
import type { Inbound, InboundBody } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import { unlisted, type AccessRequest } from '../access-request.ts'
import { readJudgedJson, type JudgedJson } from '../judged-json.ts'
import { isJson, parseMediaType } from '../media-type.ts'
import type { HttpUpstreamAccess } from './compile-http-upstream.ts'
import { forwardableHeaders } from './forwardable-headers.ts'
import { readQuery } from './read-query.ts'
import { readTarget } from './read-target.ts'

/** TRACE shows the credential that the gateway adds; CONNECT tunnels past it. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * Reads an HTTP call: which operation, with which arguments. What will be forwarded is written anew from what was read here.
 *
 * `rest` is the part below `/http/<upstream>`. A JSON body is read whole, strictly, and becomes `args.body`; any other body stays unread and `args` has none.
 *
 * Refuses `access.method-not-allowed`, `access.malformed`, `access.unsupported-media` and `access.too-large`.
 *
 * @throws BodyError when the body does not arrive as announced.
 */
export async function understandHttp(
  upstream: HttpUpstreamAccess,
  principal: Principal,
  inbound: Inbound,
  rest: { readonly path: string; readonly query: string },
  limits: { readonly judgedBodyBytesMax: number },
): Promise<AccessRequest | Refused> {
  const { method, signal } = inbound
  if (!methods.has(method)) return refused('access.method-not-allowed')
  const target = readTarget(rest.path, rest.query, upstream.encodedSlashes)
  if (target.kind === 'malformed') return malformed(target.reason)
  const body = await readBody(inbound, limits.judgedBodyBytesMax)
  if (body.kind === 'refused') return body
  const headers = forwardableHeaders(inbound.headers, upstream, body.kind === 'judged')
  if (headers.kind === 'malformed') return malformed(headers.reason)

  const named = nameCall(upstream, method, target.segments)
  if (named.kind === 'malformed') return malformed(named.reason)
  const { action, resource, parameters, lists } = named
  const query = readQuery(target.parameters, lists)
  if (query.kind === 'malformed') return malformed(query.reason)
  const args = { path: Object.fromEntries(parameters), query: query.members }
  return {
    id: inbound.id,
    principal,
    upstream: upstream.name,
    action,
    resource,
    args: body.kind === 'judged' ? { ...args, body: body.value } : args,
    context: { protocol: 'http', method, remoteAddress: inbound.connection.remoteAddress },
    standing: 'call',
    call: { kind: 'http', upstream: upstream.name, method, target: target.text, headers: headers.headers, body: outgoing(body), signal },
  }
}

function malformed(detail: string): Refused {
  return refused('access.malformed', undefined, { detail: `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.` })
}

interface NamedCall {
  readonly kind: 'named'
  readonly action: string
  readonly resource: string
  readonly parameters: Iterable<readonly [string, string]>
  /** Names of query parameters that may be repeated. */
  readonly lists: ReadonlySet<string>
}

function nameCall(
  { index }: HttpUpstreamAccess,
  method: string,
  segments: readonly string[],
): NamedCall | { readonly kind: 'malformed'; readonly reason: string } {
  const matched = index.match(method, segments)
  if (matched) {
    const { name, path, lists } = matched.operation
    return { kind: 'named', action: name, resource: path, parameters: matched.parameters, lists }
  }
  // Many servers would carry out the operation all the same, and rules about it would not have been asked.
  const meant = index.nearMiss(method, segments)
  if (meant) return { kind: 'malformed', reason: `the path differs from ${meant.path} only in case, a final slash or final dots: write it as it stands there` }
  return { kind: 'named', action: unlisted, lists: nothing, ...guessTemplate(segments) }
}

const nothing: ReadonlySet<string> = new Set()

/** Digits, a UUID, or eight and more hexadecimal digits with a decimal one among them. */
const identifier = /^(?:[0-9]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[a-f]*[0-9])[0-9a-f]{8,})$/i

/** `/users/17/orders/18` is `/users/{id}/orders/{id2}` with both values, so that walking through all users shows as one resource with many arguments. */
function guessTemplate(segments: readonly string[]): Pick<NamedCall, 'resource' | 'parameters'> {
  const parameters: (readonly [string, string])[] = []
  const names = segments.map((segment) => {
    if (!identifier.test(segment)) return segment
    const name = parameters.length === 0 ? 'id' : `id${parameters.length + 1}`
    parameters.push([name, segment])
    return `{${name}}`
  })
  return { resource: `/${names.join('/')}`, parameters }
}

type ReadBody = Refused | JudgedJson | { readonly kind: 'unread'; readonly body: InboundBody }

async function readBody(inbound: Inbound, judgedBodyBytesMax: number): Promise<ReadBody> {
  const { body, headers, method } = inbound
  if (!body || body.length === 0) return { kind: 'none' }
  // RFC 9110 section 9.3.1: content in a GET has no meaning, and a server that does not read it takes it for the next request.
  if (method === 'GET' || method === 'HEAD') return malformed(`a ${method} request has no body`)
  const types = headers.filter(([name]) => name === 'content-type')
  if (types.length > 1) return malformed('there is more than one content-type')
  const text = types[0]?.[1]
  const type = text === undefined ? undefined : parseMediaType(text)
  if (text !== undefined && !type)
    return refused('access.unsupported-media', 'content-type outside the grammar', { detail: 'The content-type is not a media type.' })
  if (!type || !isJson(type)) return { kind: 'unread', body }

  return readJudgedJson(inbound, type, judgedBodyBytesMax)
}

function outgoing(body: Exclude<ReadBody, Refused>): Uint8Array | InboundBody | undefined {
  switch (body.kind) {
    case 'none':
      return undefined
    case 'judged':
      return body.bytes
    case 'unread':
      return body.body
    default:
      return unreachable(body)
  }
}
