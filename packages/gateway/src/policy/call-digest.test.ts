import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { callBy, principalOf, streamedCallBy, type CallParts } from '../../../../test/fixtures/access-request.ts'
import { callDigest } from './call-digest.ts'

const key = createSecretKey(Buffer.alloc(32, 1))
const bot = await principalOf('acme', 'bot')
const digest = (parts: CallParts, who = bot): string => callDigest(key, callBy(who, parts))

test('a retry is the same call: another JSON-RPC id, other _meta, other order of members', () => {
  assert.equal(digest({ args: { a: 1, b: 2 }, messageId: 1 }), digest({ args: { b: 2, a: 1 }, messageId: 99 }))
  assert.equal(digest({ args: { a: 1, b: 2 }, target: '/x' }), digest({ args: { b: 2, a: 1 }, target: '/x' }))
})

test('everything that counts makes another call', async () => {
  const others = [await principalOf('acme', 'bot-2'), await principalOf('globex', 'bot')]
  const calls: CallParts[] = [
    { args: { amount: 75 } },
    { args: { amount: 76 } },
    { args: { amount: '75' } },
    { args: { amount: 75, to: null } },
    { args: {} },
    { args: { amount: 75 }, action: 'other' },
    { args: { amount: 75 }, upstream: 'crm' },
    { args: { amount: 75 }, resource: 'other' },
    { args: { amount: 75 }, target: '/a' },
    { args: { amount: 75 }, target: '/a?b' },
  ]
  const digests = [...calls.map((parts) => digest(parts)), ...others.map((who) => digest({ args: { amount: 75 } }, who)), callDigest(key, streamedCallBy(bot))]
  assert.equal(new Set(digests).size, digests.length)
})

test('without the key the digest tells nothing', () => assert.notEqual(callDigest(createSecretKey(Buffer.alloc(32, 2)), callBy(bot)), digest({})))
