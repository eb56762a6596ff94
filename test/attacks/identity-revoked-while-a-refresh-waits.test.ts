// A certificate is revoked, or its connection cut, while an identity provider thinks: the proof is asked for again afterwards, and does not hold.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ownPaths } from '@sallyport/contract'
import { sessionGate, type SessionGate } from '../fixtures/whole-sessions.ts'

const changes: Readonly<Record<string, (gate: SessionGate, agent: string, leave: () => void) => unknown>> = {
  nothing: () => undefined,
  blocked: (gate, agent) => gate.whole.admin('block', { tenant: 'acme', agent, person: 'alice' }),
  revoked: (gate, agent) => gate.whole.admin('agent.revoke', { tenant: 'acme', agent, person: 'alice' }),
  gone: (_, __, leave) => leave(),
}

for (const threads of [0, 1]) {
  test(`[S1] an agent that is blocked, revoked or gone while its refresh waits gets nothing, on ${threads} threads`, async () => {
    await using gate = await sessionGate({}, threads)
    const { provider } = gate.people
    const asked = (): number => provider.seen.filter((path) => path === '/token').length
    for (const [name, change] of Object.entries(changes)) {
      const agent = `bot-${name}`
      await gate.whole.enrolAgent(agent)
      const held = await gate.held(agent)
      const { handle } = await gate.claim(held)
      const before = { refreshes: await gate.refreshes(), asked: asked() }
      const released = Promise.withResolvers<void>()
      provider.faultOnce('/token', { until: released.promise })
      const caller = new AbortController()
      const answering = gate.ask(held, ownPaths.sessionRefresh, [], { handle }, caller.signal).then(
        ({ said }) => said,
        () => 'no answer',
      )
      while (asked() === before.asked) await pause(5)
      await change(gate, agent, () => caller.abort())
      await pause(100) // it takes a moment until the gateway hears that a caller is gone
      released.resolve()
      const isServed = name === 'nothing'
      assert.equal(await answering, isServed ? 'answered' : 'no answer', name)
      await pause(100) // nor does anything come of it afterwards
      assert.equal(await gate.refreshes(), before.refreshes + (isServed ? 1 : 0), name)
      if (name === 'gone') {
        assert.equal((await gate.ask(held, ownPaths.sessionRefresh, [], { handle })).said, 'answered', 'what landed is there for its owner')
        assert.equal(asked(), before.asked + 1)
      }
    }
  })
}
