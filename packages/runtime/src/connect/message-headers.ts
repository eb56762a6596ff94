import type { HeaderPairs } from '../link/header-pairs.ts'
import { isObject, type ClientMessage } from './rpc-message.ts'

/** What revision 2025-11-25 keeps between requests. */
export interface LegacySession {
  readonly id: string | undefined
  /** From the server's answer to `initialize`; later requests repeat it. */
  readonly version: string | undefined
}

const versionMember = 'io.modelcontextprotocol/protocolVersion'
const namedBy: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

/** The revision that a message claims for itself (2026-07-28 and later), in its `_meta`. */
export function claimedVersion(message: ClientMessage): string | undefined {
  if (message.kind === 'response') return undefined
  const { _meta: meta } = message.params
  const claim = isObject(meta) ? meta[versionMember] : undefined
  return typeof claim === 'string' ? claim : undefined
}

/**
 * The headers that streamable HTTP wants beside a message: from the message itself where it claims its revision, else from the session.
 *
 * @see MCP 2026-07-28, Streamable HTTP, Standard Request Headers; MCP 2025-11-25, Session Management
 */
export function messageHeaders(message: ClientMessage, session: LegacySession): HeaderPairs {
  const fixed: HeaderPairs = [
    ['Content-Type', 'application/json'],
    ['Accept', 'application/json, text/event-stream'],
  ]
  const version = claimedVersion(message)
  if (version === undefined || message.kind === 'response') return [...fixed, ...sessionHeaders(isInitialize(message) ? noSession : session)]
  const member = message.kind === 'request' && Object.hasOwn(namedBy, message.method) ? namedBy[message.method] : undefined
  const name = member === undefined ? undefined : message.params[member]
  return [
    ...fixed,
    ['MCP-Protocol-Version', encodeHeaderText(version)],
    ['Mcp-Method', encodeHeaderText(message.method)],
    ...(typeof name === 'string' ? [['Mcp-Name', encodeHeaderText(name)] as const] : []),
  ]
}

export const noSession: LegacySession = { id: undefined, version: undefined }

export function sessionHeaders({ id, version }: LegacySession): HeaderPairs {
  return [
    ...(id === undefined ? [] : [['Mcp-Session-Id', id] as const]),
    ...(version === undefined ? [] : [['MCP-Protocol-Version', encodeHeaderText(version)] as const]),
  ]
}

export function isInitialize(message: ClientMessage): boolean {
  return message.kind === 'request' && message.method === 'initialize'
}

/** Text as a field value: itself where that is safe, else UTF-8 in base64 between marks; so no message can put a line end into a header. */
export function encodeHeaderText(text: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?')
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}
