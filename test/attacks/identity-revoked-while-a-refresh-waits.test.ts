// A certificate is revoked, or its connection cut, while an identity provider thinks: the proof is asked for again afterwards, and does not hold.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { AskProof } from '../../packages/gateway/src/control/sessions/session.ts'
import { sessionGate, type SessionGate } from '../fixtures/whole-sessions.ts'

const bot = { tenant: 'acme', agent: 'bot', person: 'alice' }
const changes: Readonly<Record<string, (gate: SessionGate, leave: () => void) => unknown>> = {
  nothing: () => undefined,
  blocked: (gate) => gate.whole.admin('block', bot),
  revoked: (gate) => gate.whole.admin('agent.revoke', bot),
  gone: (_, leave) => leave(),
}

for (const threads of [0, 1]) {
  test(`[S1] an agent that is blocked, revoked or gone while its refresh waits gets nothing, on ${threads} threads`, async () => {
    await using gate = await sessionGate({}, threads)
    for (const [name, change] of Object.entries(changes)) {
      const isServed = name === 'nothing'
      const agent = `bot-${name}`
      await gate.whole.enrolAgent(agent)
      const held = await gate.held(agent)
      const { handle } = await gate.claim(held)
      const [released, arrived] = [Promise.withResolvers<void>(), Promise.withResolvers<AskProof>()]
      gate.sessions.waits = released.promise
      gate.sessions.onRefresh = arrived.resolve
      gate.sessions.asked.length = 0
      bot.agent = agent
      const caller = new AbortController()
      const answering = gate.ask(held, '/sallyport/v1/session/refresh', [], { handle }, caller.signal).then(
        ({ said }) => said,
        () => 'no answer',
      )
      const askProof = await arrived.promise
      assert.ok(!('problem' in askProof()))
      await change(gate, () => caller.abort())
      if (name === 'gone') while (!('problem' in askProof())) await pause(1) // it takes a moment until the gateway hears of it
      assert.equal('problem' in askProof(), !isServed, name)
      released.resolve()
      assert.equal(await answering, isServed ? 'answered' : 'no answer', name)
      assert.deepEqual(gate.sessions.asked, isServed ? ['refresh'] : [], name)
      assert.equal(gate.sessions.kept.at(-1)?.handle === handle, !isServed, 'its state is as before')
    }
  })
}
