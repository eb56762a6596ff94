import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownAuthorities, parseLoopbackAddress } from './loopback-address.ts'

test('accepts the three ways to write loopback', () => {
  assert.deepEqual(parseLoopbackAddress('127.0.0.1:8787'), { host: '127.0.0.1', port: 8787 })
  assert.deepEqual(parseLoopbackAddress('localhost:0'), { host: '127.0.0.1', port: 0 })
  assert.deepEqual(parseLoopbackAddress('[::1]:65535'), { host: '::1', port: 65_535 })
})

for (const text of [
  '0.0.0.0:1',
  '127.0.0.2:1',
  '::1:1',
  '[::]:1',
  '127.0.0.1',
  '127.0.0.1:65536',
  '127.0.0.1:-1',
  ' 127.0.0.1:1',
  '127.0.0.1:1 ',
  '127.1:80',
  '0x7f000001:1',
  'localhost.:1',
  '',
]) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseLoopbackAddress(text), undefined))
}

test('its own authorities carry the port, which only port 80 may leave out', () => {
  assert.deepEqual([...ownAuthorities(8787)], ['127.0.0.1:8787', 'localhost:8787', '[::1]:8787'])
  assert.ok(ownAuthorities(80).has('localhost'))
})
