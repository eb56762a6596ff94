// A call is begun while the rules permit it, its last byte held back until the operator has forbidden it.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('a body that arrives after a reload is not judged by the rules of before [T11]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'things', match: { upstream: 'api' }, then: 'permit' }])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const { promise: reloaded, resolve: send } = Promise.withResolvers<void>()
  const { promise: begun, resolve: isBegun } = Promise.withResolvers<void>()
  async function* slowly(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"a":')
    isBegun()
    await reloaded
    yield Buffer.from('1}')
  }
  const call = agent.callHttp('api', { method: 'POST', path: '/things', body: Readable.from(slowly()), headers: [['content-type', 'application/json']] })
  await begun
  await whole.configure([{ id: 'things', match: { upstream: 'api' }, then: 'deny' }])
  assert.match(JSON.stringify(await whole.admin('reload', { person: 'alice' })), /activated/)
  send()
  const answer = await call
  assert.ok(answer.kind === 'refused' && answer.problem.code === 'access.configuration-changed' && answer.problem.retryAfterSeconds === 1)
  assert.deepEqual(whole.seen, [])
})
