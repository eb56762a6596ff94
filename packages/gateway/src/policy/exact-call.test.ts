import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { callBy, principalOf, streamedCallBy, type CallParts } from '../../../../test/fixtures/access-request.ts'
import { besideArguments, callDigest, exactCall } from './exact-call.ts'

const key = createSecretKey(Buffer.alloc(32, 1))
const bot = await principalOf('acme', 'bot')
const digest = (parts: CallParts, who = bot): string => callDigest(key, exactCall(callBy(who, parts)))

test('a retry is the same call: another JSON-RPC id, progress token or trace, another order of members', () => {
  assert.equal(digest({ args: { a: 1, b: 2 }, messageId: 1 }), digest({ args: { b: 2, a: 1 }, messageId: 99 }))
  assert.equal(digest({ args: { a: 1, b: 2 }, target: '/x' }), digest({ args: { b: 2, a: 1 }, target: '/x' }))
  assert.equal(
    digest({ target: '/x', headers: [['traceparent', '00-1-1-00']] }),
    digest({
      target: '/x',
      headers: [
        ['accept', '*/*'],
        ['idempotency-key', '7'],
      ],
    }),
  )
  assert.equal(digest({ meta: { traceparent: '00-1-1-00', 'io.modelcontextprotocol/clientInfo': {} } }), digest({}))
})

test('a person is shown all that the digest covers, and nothing twice', () => {
  const shown = exactCall(callBy(bot, { args: { amount: 75 }, meta: { dryRun: true } }))
  assert.deepEqual(shown['args'], { amount: 75 })
  assert.deepEqual(shown['call'], { kind: 'mcp', verb: 'POST', message: { method: 'tools/call', params: { name: 'create_refund', _meta: { dryRun: true } } } })
  const http = exactCall(callBy(bot, { target: '/accounts/17', headers: [['x-target-account', 'victim']] }))
  assert.deepEqual(http['call'], { kind: 'http', method: 'POST', target: '/accounts/17', headers: [['x-target-account', 'victim']], bytes: null })
})

test('what travels beside the arguments of an MCP call is told, but for what changes with every try', () => {
  const beside = (meta: CallParts['meta']): unknown => {
    const { call, args } = callBy(bot, { args: { amount: 75 }, ...(meta && { meta }) })
    return besideArguments(call, args)
  }
  assert.deepEqual(beside({ smuggled: 'x', progressToken: 1 }), { _meta: { smuggled: 'x' } })
  assert.equal(beside({ progressToken: 1 }), undefined)
  assert.equal(beside(undefined), undefined)
  const { call, args } = callBy(bot, { target: '/accounts/17' })
  assert.equal(besideArguments(call, args), undefined)
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
    { args: { amount: 75 }, target: '/a', headers: [['x-dry-run', 'true']] },
    { args: { amount: 75 }, target: '/a', headers: [['x-dry-run', 'false']] },
    { args: { amount: 75 }, meta: { dryRun: true } },
    { args: { amount: 75 }, meta: { dryRun: false } },
  ]
  const digests = [
    ...calls.map((parts) => digest(parts)),
    ...others.map((who) => digest({ args: { amount: 75 } }, who)),
    callDigest(key, exactCall(streamedCallBy(bot))),
  ]
  assert.equal(new Set(digests).size, digests.length)
})

test('without the key the digest tells nothing', () => assert.notEqual(callDigest(createSecretKey(Buffer.alloc(32, 2)), exactCall(callBy(bot))), digest({})))
