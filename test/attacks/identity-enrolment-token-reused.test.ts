import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invoiceBot, makeCsr, openGate, tokenFor } from '../fixtures/identity-gate.ts'

test('an enrolment token works once, even for two that race', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  const token = await tokenFor(gate)
  const requests = await Promise.all(Array.from({ length: 5 }, () => makeCsr()))

  const answers = await Promise.all(requests.map(({ csrPem }) => gate.authority.enrol(token, csrPem, '127.0.0.1')))
  assert.equal(answers.filter((answer) => 'certificatePem' in answer).length, 1)

  const late = await gate.authority.enrol(token, (await makeCsr()).csrPem, '127.0.0.1')
  assert.ok('kind' in late && late.problem.code === 'identity.enrolment-refused')
  assert.equal((await gate.store.certificates(invoiceBot)).length, 1, 'no second certificate exists')
  assert.equal(gate.notes.filter(({ act }) => act === 'agent.enrolled').length, 1)
})

test('a newer token withdraws the older one', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  const older = await tokenFor(gate)
  await gate.authority.agents.createToken(invoiceBot, 'ada')
  assert.ok('kind' in (await gate.authority.enrol(older, (await makeCsr()).csrPem, '127.0.0.1')))
})

test('whoever keeps guessing tokens is slowed down, writes nothing, and slows nobody else', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  const token = await tokenFor(gate)
  const { csrPem } = await makeCsr()
  const notes = gate.notes.length
  const guess = `sp1.${'A'.repeat(43)}.${token.split('.').at(-1)}`
  for (let tries = 0; tries < 10; tries += 1) await gate.authority.enrol(guess, csrPem, '192.0.2.1')

  const slowed = await gate.authority.enrol(token, csrPem, '192.0.2.1')
  assert.ok('kind' in slowed && slowed.problem.code === 'edge.overloaded' && (slowed.problem.retryAfterSeconds ?? 0) > 0)
  assert.equal(gate.notes.length, notes)
  assert.ok('certificatePem' in (await gate.authority.enrol(token, csrPem, '192.0.2.2')))
})
