// Many servers read JSON whatever it is called, and what is not called JSON passes unread: nothing of it would be kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cited, everythingSealed, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'

for (const mode of ['sealed', 'digest']) {
  test(`a call whose arguments must be kept (${mode}) is not forwarded with a body that nobody has read [L4]`, async () => {
    await using whole = await startedCapturing({ ...everythingSealed, default: mode })
    const client = await whole.agent()
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream', undefined]) {
      const headers = type === undefined ? [] : [['content-type', type] as const]
      const answer = await client.callHttp('payments', { method: 'POST', path: '/refunds', headers, body: Buffer.from('{"amount":1000000}') })
      assert.equal(answer.kind === 'refused' && answer.problem.code, 'access.unsupported-media', type)
    }
    assert.deepEqual(whole.seen, [])
    assert.deepEqual(await cited(whole), [])
    assert.deepEqual(await payloadFiles(whole), [])
    assert.equal(await refund(whole, { amount: 1 }), '200')
  })
}

test('where nothing must be kept, such bodies pass as before', async () => {
  await using whole = await startedCapturing({ default: 'sealed', rules: [{ match: { upstream: 'payments' }, then: 'off' }] })
  const answer = await (
    await whole.agent()
  ).callHttp('payments', { method: 'POST', path: '/refunds', headers: [['content-type', 'text/plain']], body: Buffer.from('x') })
  assert.equal(answer.kind, 'answer')
})
