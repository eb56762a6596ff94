// An agent fills what is kept of arguments, so that others are refused, or so that its own further calls leave no trace.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cited, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'

test('[L4] an agent that has filled its share is refused and its calls do not leave; others go on, and what is erased makes room', async () => {
  await using whole = await startedCapturing({ default: 'sealed', size: '16KiB', sizePerAgent: '8KiB' })
  for (const agent of ['second', 'third']) await whole.enrolAgent(agent)
  const ask = (agent: string): Promise<string> => refund(whole, { amount: 1 }, agent)
  assert.deepEqual([await ask('bot'), await ask('bot'), await ask('bot')], ['200', '200', 'audit.payloads-full'])
  assert.equal(whole.seen.length, 2)
  assert.deepEqual([await ask('second'), await ask('second')], ['200', '200'])
  assert.deepEqual([await ask('third'), await ask('bot')], ['audit.payloads-full', 'audit.payloads-full'])
  assert.equal(whole.seen.length, 4)
  assert.equal((await payloadFiles(whole)).length, 4)
  const refusals = (await whole.events()).filter((event) => event.type === 'refusal' && event.code === 'audit.payloads-full')
  assert.equal(refusals.length, 3)

  const [first] = await cited(whole)
  assert.equal((await operator(whole, ['log', 'erase', String(first?.index), '--yes'])).code, 0)
  assert.equal(await ask('third'), '200')
})

test('what is kept counts after a restart too', async () => {
  await using whole = await startedCapturing({ default: 'sealed', size: '8KiB', sizePerAgent: '4KiB' })
  assert.equal(await refund(whole, { amount: 1 }), '200')
  await whole.stop()
  await whole.start()
  assert.equal(await refund(whole, { amount: 1 }), 'audit.payloads-full')
})

test('a flood of calls that rules refuse fills no room beyond the first of a minute', async () => {
  await using whole = await startedCapturing({ default: 'sealed' }, undefined, [{ id: 'never', match: { upstream: 'payments' }, then: 'deny' }])
  const answers = await Promise.all(Array.from({ length: 60 }, () => refund(whole, { amount: 1 })))
  assert.deepEqual(new Set(answers), new Set(['policy.denied']))
  assert.equal((await cited(whole)).length, 20)
  assert.equal((await payloadFiles(whole)).length, 20)
})
