import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, property, string } from 'fast-check'
import type { JsonObject } from '@sallyport/contract'
import { encodeHeaderText, messageHeaders, noSession } from './message-headers.ts'
import { mirroredArguments } from './mirrored-arguments.ts'
import type { ClientMessage } from './rpc-message.ts'

const session = { id: 's1', version: '2025-11-25' }
const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }

const request = (method: string, params: JsonObject = {}): ClientMessage => ({ kind: 'request', id: 1, method, params, text: '' })
const names = (message: ClientMessage, with_ = session) =>
  Object.fromEntries(
    messageHeaders(message, with_)
      .slice(2)
      .map(([name, value]) => [name.toLowerCase(), value]),
  )

test('2025-11-25 repeats the session, except on initialize', () => {
  assert.deepEqual(names(request('tools/call', { name: 'a' })), { 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-11-25' })
  assert.deepEqual(names({ kind: 'response', text: '' }), { 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-11-25' })
  assert.deepEqual(names(request('initialize')), {})
  assert.deepEqual(messageHeaders(request('ping'), noSession).length, 2)
})

test('2026-07-28 repeats the message, and never the session', () => {
  const expected = { 'mcp-protocol-version': '2026-07-28' }
  assert.deepEqual(names(request('tools/call', { name: 'a', ...meta })), { ...expected, 'mcp-method': 'tools/call', 'mcp-name': 'a' })
  assert.deepEqual(names(request('resources/read', { uri: 'file:///ä', name: 'x', ...meta })), {
    ...expected,
    'mcp-method': 'resources/read',
    'mcp-name': `=?base64?${Buffer.from('file:///ä').toString('base64')}?=`,
  })
  assert.deepEqual(names(request('tasks/get', { taskId: 't', ...meta })), { ...expected, 'mcp-method': 'tasks/get', 'mcp-name': 't' })
  assert.deepEqual(names(request('tools/list', { name: 'a', ...meta })), { ...expected, 'mcp-method': 'tools/list' })
  assert.deepEqual(names(request('tools/call', { name: 7, ...meta })), { ...expected, 'mcp-method': 'tools/call' })
  assert.deepEqual(names(request('constructor', meta)), { ...expected, 'mcp-method': 'constructor' })
})

test('no text of a message can end its header, and every text comes back', () => {
  check(
    property(string({ unit: 'binary' }), (text) => {
      const value = encodeHeaderText(text)
      assert.match(value, /^[\x20-\x7e]*$/)
      const [, base64] = /^=\?base64\?(.*)\?=$/.exec(value) ?? []
      assert.equal(base64 === undefined ? value : Buffer.from(base64, 'base64').toString(), text.toWellFormed())
    }),
  )
  for (const text of ['', ' a', 'a ', '=?base64?eA==?=', 'a\r\nX: 1', '\u0000']) assert.ok(encodeHeaderText(text).startsWith('=?base64?'), text)
  assert.equal(encodeHeaderText('plain text/1'), 'plain text/1')
})

test('arguments that a tool declared are repeated, and only those that are there', () => {
  const mirrored = mirroredArguments()
  const inputSchema = {
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      filter: { properties: { deep: { type: 'boolean', 'x-mcp-header': 'Deep' } } },
      bad: { type: 'string', 'x-mcp-header': 'not a token' },
      list: { items: { type: 'string', 'x-mcp-header': 'Item' } },
    },
  }
  mirrored.learn({ tools: [{ name: 'query', inputSchema }, { name: 'plain', inputSchema: {} }, 'nonsense'] })
  assert.deepEqual(mirrored.headers({ name: 'query', arguments: { region: 'eu ', filter: { deep: true }, bad: 'x', list: ['x'] } }), [
    ['Mcp-Param-Region', `=?base64?${Buffer.from('eu ').toString('base64')}?=`],
    ['Mcp-Param-Deep', 'true'],
  ])
  assert.deepEqual(mirrored.headers({ name: 'query', arguments: { region: null, filter: 1 } }), [])
  assert.deepEqual(mirrored.headers({ name: 'plain', arguments: { region: 'x' } }), [])
  mirrored.learn({ tools: [{ name: 'query', inputSchema: {} }] })
  assert.deepEqual(mirrored.headers({ name: 'query', arguments: { region: 'eu' } }), [])
})
