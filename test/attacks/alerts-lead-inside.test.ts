import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { compileWebhook } from '../../packages/gateway/src/control/signals/alert-definition.ts'
import { openWebhook } from '../../packages/gateway/src/control/signals/webhook.ts'
import { alertReceiver, alertSecret } from '../fixtures/alert-receiver.ts'

const ports = { revealShared: async () => alertSecret, log: 'agents.example/sallyport', now: Date.now }
const nothing = { alert: undefined, leftOut: {} }

test('a receiver of alerts whose name leads inside is not dialled, and without encryption only this host is told', async () => {
  for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1']) {
    const { definition, faults } = compileWebhook({ url: 'https://alerts.example/hook', secret: 'alert-receiver' }, {})
    assert.deepEqual(faults, [])
    const way = openWebhook(definition, { ...ports, resolver: { resolve: async () => [address] } })
    await assert.rejects(way.deliver('msg_1', nothing), (error) => error instanceof Fault && /did not arrive/.test(error.message))
    await way.close()
  }
  for (const url of ['http://alerts.example/hook', 'http://10.1.2.3/hook', 'https://me:word@alerts.example/hook'])
    assert.equal(compileWebhook({ url }, {}).faults.length, 1, url)
})

test('a redirect of the receiver is not followed', async () => {
  await using inside = await alertReceiver()
  await using receiver = await alertReceiver((_, outgoing) => outgoing.writeHead(307, { location: inside.url }).end())
  const { definition } = compileWebhook({ url: receiver.url, secret: 'alert-receiver', addresses: { allow: ['127.0.0.1/32'] } }, {})
  const way = openWebhook(definition, { ...ports, resolver: { resolve: async () => ['127.0.0.1'] } })
  await assert.rejects(way.deliver('msg_1', nothing), /answered 307/)
  assert.deepEqual([receiver.bodies.length, inside.bodies.length], [1, 0])
  await way.close()
})

test('what shall be signed is never sent without its signature', async () => {
  await using receiver = await alertReceiver()
  const { definition } = compileWebhook({ url: receiver.url, secret: 'alert-receiver', addresses: { allow: ['127.0.0.1/32'] } }, {})
  for (const value of [undefined, '', 'whsec_', 'too short']) {
    const way = openWebhook(definition, { ...ports, revealShared: async () => value, resolver: { resolve: async () => ['127.0.0.1'] } })
    await assert.rejects(way.deliver('msg_1', nothing), Fault)
    await way.close()
  }
  assert.deepEqual(receiver.bodies, [])
})
