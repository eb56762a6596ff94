import type { Json, JsonObject } from '@sallyport/contract'
import { headerValue, type HeaderLines } from '../../edge/inbound.ts'
import type { JsonRpcMessage } from '../access-request.ts'
import { isJsonArray, isJsonObject, paramsOf } from './json-rpc.ts'

/** Which member of the params the Mcp-Name header repeats. */
const namedBy: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

const parameterPrefix = 'mcp-param-'

/**
 * Why the headers of a 2026-07-28 request do not say what its body says; undefined when they agree.
 *
 * What stands behind the gateway may route by the headers and act on the body, so a pair that disagrees would be judged as one call and carried out as another.
 *
 * @see MCP 2026-07-28, Streamable HTTP, Standard Request Headers (SEP-2243)
 */
export function headerDisagreement(headers: HeaderLines, message: JsonRpcMessage & { readonly method: string }, revision: string): string | undefined {
  for (const name of ['mcp-protocol-version', 'mcp-method', 'mcp-name']) {
    if (headers.filter(([candidate]) => candidate === name).length > 1) return `${name} is repeated`
  }
  const version = headerValue(headers, 'mcp-protocol-version')
  if (version !== revision) return `MCP-Protocol-Version must be ${revision}, as in the body`
  const method = headerValue(headers, 'mcp-method')
  // The revision says nothing of headers on notifications; where they are present they must agree all the same.
  if (method === undefined ? message.kind === 'request' : method !== message.method) return 'Mcp-Method must name the method of the body'
  return nameDisagreement(headers, message) ?? parameterDisagreement(headers, message)
}

function nameDisagreement(headers: HeaderLines, message: JsonRpcMessage & { readonly method: string }): string | undefined {
  const member = Object.hasOwn(namedBy, message.method) ? namedBy[message.method] : undefined
  const header = headerValue(headers, 'mcp-name')
  if (member === undefined) return header === undefined ? undefined : 'Mcp-Name does not belong to this method'
  if (header === undefined && message.kind !== 'request') return undefined
  return header !== undefined && decodeHeaderText(header) === paramsOf(message)[member] ? undefined : `Mcp-Name must repeat params.${member}`
}

/** The schema that says which argument a header mirrors is the upstream's; so here a header must at least repeat some argument. */
function parameterDisagreement(headers: HeaderLines, message: JsonRpcMessage): string | undefined {
  const mirrored = headers.filter(([name]) => name.startsWith(parameterPrefix))
  if (mirrored.length === 0) return undefined
  const said = new Set(scalars(paramsOf(message)['arguments']))
  for (const [index, [name, value]] of mirrored.entries()) {
    if (mirrored.findIndex(([other]) => other === name) !== index) return `${name} is repeated`
    const text = decodeHeaderText(value)
    if (text === undefined || !said.has(text)) return `${name} repeats no argument of the body`
  }
  return undefined
}

export function mirroredParameters(headers: HeaderLines): HeaderLines {
  return headers.filter(([name]) => name.startsWith(parameterPrefix))
}

const encoded = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/

/** A header value as the revision encodes it: itself, or UTF-8 in base64 between two marks. Undefined when the marks hold something else. */
export function decodeHeaderText(value: string): string | undefined {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value
  const base64 = encoded.exec(value)?.[1]
  if (base64 === undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
  try {
    return bytes.toString('base64') === base64 ? new TextDecoder('utf-8', { fatal: true }).decode(bytes) : undefined
  } catch {
    return undefined
  }
}

export function encodeHeaderText(text: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?')
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

function scalars(value: Json | undefined): readonly string[] {
  if (isJsonArray(value)) return value.flatMap((item) => scalars(item))
  if (isJsonObject(value)) return members(value).flatMap((item) => scalars(item))
  return value === undefined || value === null ? [] : [String(value)]
}

function members(value: JsonObject): readonly Json[] {
  return Object.values(value)
}
