import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AttemptLimit } from './attempt-limit.ts'

test('ten failures at once, then one every six seconds', () => {
  const limit = new AttemptLimit()
  for (let failures = 0; failures < 9; failures += 1) limit.fail('192.0.2.1', 0)
  assert.equal(limit.waitSeconds('192.0.2.1', 0), 0)
  limit.fail('192.0.2.1', 0)
  assert.equal(limit.waitSeconds('192.0.2.1', 0), 6)
  assert.equal(limit.waitSeconds('192.0.2.1', 5_999), 1)
  assert.equal(limit.waitSeconds('192.0.2.1', 6_000), 0)
  assert.equal(limit.waitSeconds('192.0.2.2', 0), 0, 'another address is not slowed')
})

test('whoever has a whole IPv6 network has one allowance', () => {
  const limit = new AttemptLimit()
  for (let host = 0; host < 10; host += 1) limit.fail(`2001:db8::${host}`, 0)
  assert.equal(limit.waitSeconds('2001:db8:0:0:ffff::1', 0), 6)
  assert.equal(limit.waitSeconds('2001:db8:0:1::1', 0), 0)
})

test('a flood of addresses takes bounded memory, and an address can be forgotten only by many others', () => {
  const limit = new AttemptLimit()
  for (let failures = 0; failures < 10; failures += 1) limit.fail('192.0.2.1', 0)
  for (let other = 0; other < 4095; other += 1) limit.fail(`10.0.${other >> 8}.${other & 255}`, 0)
  assert.equal(limit.waitSeconds('192.0.2.1', 0), 6)
  limit.fail('10.1.0.0', 0)
  assert.equal(limit.waitSeconds('192.0.2.1', 0), 0)
})
