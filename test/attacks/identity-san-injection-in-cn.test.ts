import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOnce, enrolAgent, forge, invoiceBotId, openGate } from '../fixtures/identity-gate.ts'

test('text that looks like a URI name, in the subject or inside another name, names no one', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  await enrolAgent(gate)
  const injected = `x.test, URI:${invoiceBotId}`
  const victimless = 'spiffe://agents.test/tenant/acme/agent/ghost'

  const impostors = [
    await forge(gate, [{ type: 'dns', value: injected }]),
    await forge(gate, [{ type: 'email', value: injected }]),
    await forge(gate, [{ type: 'url', value: `${victimless}, URI:${invoiceBotId}` }]),
    await forge(gate, [{ type: 'dns', value: 'x.test' }], [{ CN: [invoiceBotId] }]),
    await forge(gate, [{ type: 'url', value: victimless }], [{ CN: [`URI:${invoiceBotId}`] }, { O: [invoiceBotId] }]),
  ]
  for (const impostor of impostors) assert.equal((await callOnce(gate, impostor)).status, 401)
  assert.deepEqual(gate.admitted, [])
})
