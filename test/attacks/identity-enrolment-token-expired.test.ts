import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invoiceBot, makeCsr, openGate, tokenFor } from '../fixtures/identity-gate.ts'

test('an enrolment token is worth nothing after its end, or once its agent is revoked', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  const { csrPem } = await makeCsr()
  const expired = await tokenFor(gate)
  gate.clock.nowMs += 15 * 60_000
  const late = await gate.authority.enrol(expired, csrPem, '127.0.0.1')
  assert.ok('kind' in late && late.problem.code === 'identity.enrolment-refused')

  const made = await gate.authority.agents.createToken(invoiceBot, 'ada')
  assert.ok(made.kind === 'token')
  await gate.authority.agents.revoke(invoiceBot, 'ada')
  await gate.authority.agents.reinstate(invoiceBot, 'ada')
  const revoked = await gate.authority.enrol(made.token, csrPem, '127.0.0.1')
  assert.ok('kind' in revoked && revoked.problem.code === 'identity.enrolment-refused')

  assert.deepEqual(await gate.store.certificates(invoiceBot), [])
  assert.ok(!gate.notes.some(({ act }) => act === 'agent.enrolled'))
})
