// RFC 8705 section 3: a bound token shown over another certificate is worthless, also over another one of the same agent.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadIdentity, renew } from '@sallyport/runtime'
import { sessionGate } from '../fixtures/whole-sessions.ts'

for (const threads of [0, 1]) {
  test(`[S1] [S3] a ticket counts under its own certificate alone, not under the successor, nor another agent's, on ${threads} threads`, async () => {
    await using gate = await sessionGate({}, threads)
    const old = await gate.held()
    const { ticket } = await gate.claim(old)
    const shown = [['sallyport-ticket', ticket]] as const
    assert.equal((await gate.ask(old, '/http/api/things/1', shown)).said, 'answered')

    assert.equal((await renew({ directory: join(gate.whole.folder, 'bot') })).kind, 'renewed')
    const renewed = await gate.held()
    await gate.whole.enrolAgent('thief')
    const thief = await loadIdentity(join(gate.whole.folder, 'thief'))
    for (const held of [renewed, thief]) {
      const { status, body } = await gate.ask(held, '/http/api/things/2', shown)
      assert.deepEqual([status, body['code'], body['detail']], [401, 'identity.ticket-invalid', undefined])
    }
    assert.equal((await gate.ask(old, '/http/api/things/3', shown)).said, 'answered', 'the owner goes on')
    assert.deepEqual(
      gate.whole.seen.map(({ url }) => url),
      ['/things/1', '/things/3'],
    )

    await gate.whole.stop()
    const refusals = (await gate.whole.events()).filter((event) => event.type === 'refusal')
    assert.deepEqual(
      refusals.map(({ code, caller, reason }) => [code, caller.agent, /another (?:certificate|agent)/.test(reason)]),
      [
        ['identity.ticket-invalid', 'bot', true],
        ['identity.ticket-invalid', 'thief', true],
      ],
    )
  })
}
