import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '@sallyport/contract'
import { readJsonRpc } from './json-rpc.ts'

const cases: readonly (readonly [expected: string, value: Json])[] = [
  ['request', { jsonrpc: '2.0', id: 1, method: 'ping' }],
  ['request', { jsonrpc: '2.0', id: 'a', method: 'ping', params: {} }],
  ['notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
  ['response', { jsonrpc: '2.0', id: 0, result: {} }],
  ['response', { jsonrpc: '2.0', id: 0, error: { code: -1, message: 'no', data: null } }],
  ['response', { jsonrpc: '2.0', id: null, error: { code: -1, message: 'no' } }],
  ['refused', []],
  ['refused', [{ jsonrpc: '2.0', id: 1, method: 'ping' }]],
  ['refused', null],
  ['refused', { id: 1, method: 'ping' }],
  ['refused', { jsonrpc: '2', id: 1, method: 'ping' }],
  ['refused', { jsonrpc: '2.0', id: null, method: 'ping' }],
  ['refused', { jsonrpc: '2.0', id: 0.5, method: 'ping' }],
  ['refused', { jsonrpc: '2.0', id: {}, method: 'ping' }],
  ['refused', { jsonrpc: '2.0', id: 'x'.repeat(513), method: 'ping' }],
  ['refused', { jsonrpc: '2.0', id: 1, method: 7 }],
  ['refused', { jsonrpc: '2.0', id: 1, method: 'pi ng' }],
  ['refused', { jsonrpc: '2.0', id: 1, method: 'pïng' }],
  ['refused', { jsonrpc: '2.0', id: 1, method: '' }],
  ['refused', { jsonrpc: '2.0', id: 1, method: 'ping', params: [] }],
  ['refused', { jsonrpc: '2.0', id: 1, method: 'ping', params: null }],
  ['refused', { jsonrpc: '2.0', id: 1, method: 'ping', result: {} }],
  ['refused', { jsonrpc: '2.0', id: 1, method: 'ping', more: 1 }],
  ['refused', { jsonrpc: '2.0', id: 1 }],
  ['refused', { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '' } }],
  ['refused', { jsonrpc: '2.0', id: 1, result: [] }],
  ['refused', { jsonrpc: '2.0', id: null, result: {} }],
  ['refused', { jsonrpc: '2.0', id: 1, error: { code: 1.5, message: '' } }],
  ['refused', { jsonrpc: '2.0', id: 1, error: { code: 1, message: '', more: 1 } }],
]

test('every message has exactly one reading', () => {
  for (const [expected, value] of cases) assert.equal(readJsonRpc(value).kind, expected, JSON.stringify(value))
})
