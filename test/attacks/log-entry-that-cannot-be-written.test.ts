// A call is shaped so that its entry would be no JSON: it would act without a trace, or leave state behind that the log does not know.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const splitPair = `${'A'.repeat(254)}😀xx`

test('a text whose cut splits a surrogate pair is in the log, and its quota is charged [L1] [L4]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'things', match: { upstream: 'api' }, when: 'has(args.query.q) && args.query.q != ""', then: 'permit' }])
  const { logKey } = await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const answer = await agent.callHttp('api', { method: 'GET', path: `/things/7?q=${encodeURIComponent(splitPair)}` })
  assert.equal(answer.kind, 'answer')
  await whole.stop()
  const decision = (await whole.events()).find((event) => event.type === 'decision' && event.action === 'get_thing')
  assert.ok(decision?.type === 'decision' && String(decision.facts?.['args.query.q']).startsWith('AAAA'))
  await whole.assertLogVerifies(logKey)
  assert.deepEqual(whole.faults, [])
})

test('the longest facts, names and targets that a call can have still fit an entry [L1] [L4]', async () => {
  await using whole = await wholeGateway()
  const conditions = Array.from({ length: 32 }, (_, at) => `(!has(args.query.p${at}) || args.query.p${at} != "x")`)
  await whole.configure([{ id: 'things', match: { upstream: 'api' }, when: conditions.join(' && '), then: 'permit' }])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const query = Array.from({ length: 32 }, (_, at) => `p${at}=${'%01'.repeat(60)}`).join('&')
  const answer = await agent.callHttp('api', { method: 'GET', path: `/things/${'%F0%9F%98%80'.repeat(80)}?${query}` })
  assert.equal(answer.kind, 'answer')
  await whole.stop()
  assert.ok((await whole.events()).some((event) => event.type === 'decision' && event.action === 'get_thing'))
  assert.deepEqual(whole.faults, [])
})
