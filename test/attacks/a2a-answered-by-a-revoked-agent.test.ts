import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { a2aGate, sending, type A2aGate } from '../fixtures/a2a-gate.ts'
import { thumbprintOf } from '../fixtures/a2a-agent.ts'

const billing = { tenant: 'acme', agent: 'billing', person: 'ada' }
const acts: readonly (readonly [string, (gate: A2aGate) => Promise<unknown>])[] = [
  ['revoked', ({ agents }) => agents.gate.whole.admin('agent.revoke', billing)],
  ['blocked', ({ agents }) => agents.gate.whole.admin('block', billing)],
  [
    'there with a revoked certificate',
    (gate) => gate.agents.gate.whole.admin('agent.revoke-certificate', { ...billing, certificate: thumbprintOf(gate.billing) }),
  ],
]

for (const [how, act] of acts) {
  test(`[F2] an agent that is ${how} is not called any more, and what goes on with it ends`, async () => {
    await using gate = await a2aGate()
    const began = Promise.withResolvers<void>()
    const left = Promise.withResolvers<unknown>()
    gate.peer.answers = ({ method }, response) => {
      if (method !== 'POST') return false
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n', () => began.resolve())
      left.resolve(once(response, 'close'))
      return true
    }
    const streaming = gate.post(sending('long')).then(
      () => 'answered to the end',
      () => 'cut',
    )
    await began.promise
    const done = await act(gate)
    assert.ok(!(typeof done === 'object' && done !== null && 'problem' in done), JSON.stringify(done))
    await left.promise
    assert.equal(await streaming, 'cut')
    assert.equal((await gate.post(sending('hello'))).said, 'forward.peer-refused')
    assert.equal(gate.peer.heard.length, 1)
  })
}
