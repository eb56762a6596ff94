import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sessionGate } from '../fixtures/whole-sessions.ts'

for (const threads of [0, 2]) {
  test(`[S3] no ticket of a session counts once it is revoked, on ${threads} threads`, async () => {
    await using gate = await sessionGate({}, threads)
    const held = await gate.held()
    const [first, second] = [await gate.claim(held), await gate.claim(held)]
    const ask = async (ticket: string): Promise<string> => (await gate.ask(held, '/http/api/things/1', [['sallyport-ticket', ticket]])).said
    // On connections of their own, so that every thread has seen the ticket and remembers its signature.
    for (let at = 0; at < 8; at += 1) assert.equal(await ask(first.ticket), 'answered')
    await gate.whole.admin('session.revoke', { session: first.session, person: 'oscar' })
    for (let at = 0; at < 8; at += 1) assert.equal(await ask(first.ticket), 'identity.ticket-invalid')
    assert.equal(await ask(second.ticket), 'answered', 'other sessions of the agent go on')
    assert.equal(gate.whole.seen.length, 9)
  })
}

test('an agent ends its own session: its ticket and its handle are worthless at once', async () => {
  await using gate = await sessionGate()
  const held = await gate.held()
  const { ticket, handle } = await gate.claim(held)
  const shown = [['sallyport-ticket', ticket]] as const
  assert.deepEqual((await gate.ask(held, '/sallyport/v1/session/end', shown, { handle })).body, { ended: true })
  assert.equal((await gate.ask(held, '/http/api/things/1', shown)).said, 'identity.ticket-invalid')
  assert.equal((await gate.ask(held, '/sallyport/v1/session/refresh', [], { handle })).said, 'session.invalid')
  assert.equal(gate.whole.seen.length, 0)
})
