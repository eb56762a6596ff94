import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentCard } from '@a2a-js/sdk'
import { a2aGate } from '../fixtures/a2a-gate.ts'

const elsewhere = 'https://attacker.example'

test('a card leads nowhere but to the gateway, whatever the agent has written into it', async () => {
  await using gate = await a2aGate({
    card: (card) => ({
      ...(AgentCard.toJSON(card) as object),
      supportedInterfaces: [
        { url: `${elsewhere}/grpc`, protocolBinding: 'GRPC', protocolVersion: '1.0' },
        { url: `${elsewhere}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
        { url: `${elsewhere}/old`, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
      ],
      url: `${elsewhere}/0.3`,
      additionalInterfaces: [{ url: elsewhere, transport: 'JSONRPC' }],
      provider: { url: elsewhere, organization: 'Billing' },
      documentationUrl: elsewhere,
      iconUrl: `${elsewhere}/pixel.png`,
      capabilities: { streaming: true, pushNotifications: true, extendedAgentCard: true },
      securitySchemes: { oauth: { oauth2SecurityScheme: { flows: { authorizationCode: { tokenUrl: elsewhere, authorizationUrl: elsewhere, scopes: {} } } } } },
      securityRequirements: [{ schemes: { oauth: { list: ['openid'] } } }],
      signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'AAAA' }],
    }),
  })
  const { said, body } = await gate.post('', {}, 'bot', '/a2a/billing/.well-known/agent-card.json')
  assert.equal(said, 'answered')
  assert.ok(!body.includes('attacker.example'), body)
  const { supportedInterfaces, capabilities } = JSON.parse(body)
  assert.deepEqual(supportedInterfaces, [{ url: gate.url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }])
  assert.deepEqual(capabilities, { streaming: true, pushNotifications: false, extendedAgentCard: false })
})

test('an agent that speaks nothing the gateway understands, or too much, has no card', async () => {
  for (const card of [
    (given: AgentCard) => ({
      ...(AgentCard.toJSON(given) as object),
      supportedInterfaces: [{ url: elsewhere, protocolBinding: 'GRPC', protocolVersion: '1.0' }],
    }),
    (given: AgentCard) => ({ ...(AgentCard.toJSON(given) as object), description: 'x'.repeat(300_000) }),
    () => ({}),
  ]) {
    await using gate = await a2aGate({ card })
    assert.equal((await gate.post('', {}, 'bot', '/a2a/billing/.well-known/agent-card.json')).said, 'forward.upstream-failed')
  }
})

test('only a bridge on the own host says that its clients reach the gateway elsewhere', async () => {
  await using gate = await a2aGate()
  const cardUrl = async (reachedAt: string): Promise<unknown> => {
    const { said, body } = await gate.post('', { 'sallyport-reached-at': reachedAt }, 'bot', '/a2a/billing/.well-known/agent-card.json')
    return said === 'answered' ? JSON.parse(body).supportedInterfaces[0].url : said
  }
  assert.equal(await cardUrl('http://127.0.0.1:8787'), 'http://127.0.0.1:8787/a2a/billing')
  for (const other of [elsewhere, 'http://attacker.example:80', 'http://127.0.0.1.attacker.example:80', 'http://127.0.0.1:80/x'])
    assert.equal(await cardUrl(other), 'access.malformed', other)
})

test('an agent cannot send its callers elsewhere by a redirect', async () => {
  await using gate = await a2aGate()
  gate.peer.answers = (_, response) => {
    response.writeHead(307, { location: elsewhere, 'content-type': 'application/json' }).end('{}')
    return true
  }
  for (const [body, path] of [
    ['', '/a2a/billing/.well-known/agent-card.json'],
    [JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 't' } }), '/a2a/billing'],
  ] as const) {
    const { said, headers } = await gate.post(body, {}, 'bot', path)
    assert.deepEqual([said, headers['location']], ['forward.upstream-failed', undefined])
  }
})
