import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOnce, enrolAgent, forge, invoiceBotId, openGate } from '../fixtures/identity-gate.ts'

test('[F1] a certificate with two URI names is nobody, whichever comes first', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  await enrolAgent(gate)
  const other = 'spiffe://agents.test/tenant/acme/agent/admin'

  for (const names of [
    [invoiceBotId, other],
    [other, invoiceBotId],
    [invoiceBotId, invoiceBotId],
  ]) {
    const { status, body } = await callOnce(
      gate,
      await forge(
        gate,
        names.map((value) => ({ type: 'url', value })),
      ),
    )
    assert.deepEqual([status, body.code], [401, 'identity.unauthenticated'])
  }
  const withDns = await callOnce(
    gate,
    await forge(gate, [
      { type: 'url', value: invoiceBotId },
      { type: 'dns', value: 'invoice-bot.test' },
    ]),
  )
  assert.equal(withDns.status, 401)
  assert.deepEqual(gate.admitted, [])
  assert.match(gate.refusals[0] ?? '', /certificate-invalid: .*exactly one URI/)

  assert.equal((await callOnce(gate, await forge(gate, [{ type: 'url', value: invoiceBotId }]))).status, 200, 'the neighbour with one name passes')
})
