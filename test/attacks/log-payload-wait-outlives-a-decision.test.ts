// A call waits for the disk that takes its arguments, while the operator forbids it, or revokes its agent.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { PayloadStore } from '../../packages/gateway/src/control/payloads/payload-store.ts'
import { cited, configureCapture, everythingSealed, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'

/** A disk that takes arguments only when it is let. */
function slowDisk(t: TestContext): { readonly begun: Promise<void>; readonly goOn: () => void } {
  const begun = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const { keep } = PayloadStore.prototype
  t.mock.method(PayloadStore.prototype, 'keep', async function (this: PayloadStore, ...payload: Parameters<typeof keep>) {
    begun.resolve()
    await gate.promise
    return keep.apply(this, payload)
  })
  return { begun: begun.promise, goOn: gate.resolve }
}

test('[T11] it is not judged by the rules of before, and nothing is kept of it', async (t) => {
  await using whole = await startedCapturing(everythingSealed, 0)
  const { begun, goOn } = slowDisk(t)
  const calling = refund(whole, { amount: 1 })
  await begun
  await configureCapture(whole, everythingSealed, [{ id: 'refunds', match: { upstream: 'payments' }, then: 'deny' }])
  assert.match(JSON.stringify(await whole.admin('reload', { person: 'alice' })), /activated/)
  goOn()
  assert.equal(await calling, 'access.configuration-changed')
  assert.deepEqual([whole.seen, await cited(whole), await payloadFiles(whole)], [[], [], []])
})

test('[F1] an agent that was revoked meanwhile gets nothing done, and nothing is kept of it', async (t) => {
  await using whole = await startedCapturing(everythingSealed, 0)
  const { begun, goOn } = slowDisk(t)
  const calling = refund(whole, { amount: 1 }).catch((error: unknown) => String(error))
  await begun
  assert.match(JSON.stringify(await whole.admin('agent.revoke', { tenant: 'acme', agent: 'bot', person: 'alice' })), /revoked/)
  goOn()
  assert.notEqual(await calling, '200')
  while (!(await whole.events()).some((event) => event.type === 'refusal' || event.type === 'decision')) await new Promise((resolve) => setImmediate(resolve))
  const codes = (await whole.events()).flatMap((event) => (event.type === 'refusal' ? [event.code] : []))
  assert.deepEqual([codes, whole.seen, await cited(whole)], [['identity.certificate-revoked'], [], []])
  while ((await payloadFiles(whole)).length > 0) await new Promise((resolve) => setImmediate(resolve))
})
