// An agent repeats calls that are denied, to fill the disk of the log.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('a flood of denied calls becomes a count, every one of them denied and accounted for [L1]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'never', match: { upstream: 'api' }, then: 'deny' }])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  for (let index = 0; index < 100; index += 1) {
    const answer = await agent.callHttp('api', { method: 'GET', path: `/things/${index}` })
    assert.ok(answer.kind === 'refused' && answer.problem.code === 'policy.denied')
  }
  await whole.stop()
  const events = await whole.events()
  const singly = events.filter((event) => event.type === 'decision' && event.code === 'policy.denied').length
  const counts = events.flatMap((event) => (event.type === 'refusal' && event.code === 'policy.denied' ? [event] : []))
  assert.equal(singly, 20)
  assert.deepEqual(
    counts.map(({ count, upstream, caller }) => [count, upstream, caller.agent]),
    [[80, 'api', 'bot']],
  )
  assert.deepEqual(whole.seen, [])
})
