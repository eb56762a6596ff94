import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delegationGate, refusalOf } from '../fixtures/delegation.ts'

test('[F3] when a session ends, so does everything that was passed on of it', async () => {
  await using agents = await delegationGate()
  const { gate, ticket, handle, held } = agents
  const passed = await agents.pass('bot', ticket, 'billing')
  const further = await agents.pass('billing', passed, 'archive')
  assert.equal(await agents.show('archive', further), 'answered')
  const ended = await gate.ask(held['bot'] ?? assert.fail(), '/sallyport/v1/session/end', [], { handle })
  assert.equal(ended.status, 200)
  assert.equal(await agents.show('billing', passed), 'identity.ticket-invalid')
  assert.equal(await agents.show('archive', further), 'identity.ticket-invalid')
  for (const [from, shown, to] of [
    ['bot', ticket, 'billing'],
    ['billing', passed, 'archive'],
  ] as const)
    assert.equal(refusalOf(await agents.exchange(from, shown, to)), '400 invalid_request identity.ticket-invalid', from)
})
