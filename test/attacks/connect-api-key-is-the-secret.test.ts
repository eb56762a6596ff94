// Clients of language models can carry the bridge's secret only as their API key. Another key must not open the bridge, and the secret must not go onward.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../fixtures/ask-bridge.ts'
import { startBridge } from '../fixtures/mtls-echo.ts'

const path = '/llm/anthropic/v1/messages'

test('a program without the secret cannot act as the agent, whatever API key it has', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  const attempts: Record<string, string>[] = [
    { 'x-api-key': 'sk-ant-some-other-key' },
    { 'x-api-key': `Bearer ${secret}` },
    { 'x-api-key': `${secret},${secret}` },
    { 'x-api-key': '' },
    { 'api-key': secret },
  ]
  for (const headers of attempts) {
    const answer = await ask(bridge.port, { method: 'POST', path, headers, body: '{}' })
    assert.equal(answer.json?.['code'], 'connect.secret-required', JSON.stringify(headers))
  }
  assert.equal(peer.connections(), 0)
})

test('the secret as API key opens the bridge and stays there', async (t) => {
  const { bridge, peer, secret } = await startBridge(t)
  for (const headers of [{ 'x-api-key': secret }, { authorization: `Bearer ${secret}` }, { 'x-api-key': secret, authorization: 'Bearer sk-own' }]) {
    assert.equal((await ask(bridge.port, { method: 'POST', path, headers, body: '{}' })).status, 200)
    assert.equal(peer.received.at(-1)?.target, path)
    assert.doesNotMatch(peer.received.at(-1)?.rawHeaders.join('\n') ?? '', new RegExp(`${secret}|sk-own|x-api-key|authorization`, 'i'))
  }
})
