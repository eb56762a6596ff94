import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentIdentity, parseAgentName, parseTenantName, parseTrustDomain, parseUpstreamName, type SpiffeId, type UpstreamName } from '@sallyport/contract'
import { openSealed, seal } from './seal.ts'
import { openServerRequest, openSession, sealServerRequest, sealSession } from './sealed-session.ts'

const key = Buffer.alloc(32, 1)
const [a, b] = [agent('a'), agent('b')]
const crm = upstream('crm')

test('a session opens only for its agent, its upstream and its key', () => {
  const sealed = sealSession(key, { agent: a, upstream: crm }, 'of the upstream')
  assert.equal(openSession(key, { agent: a, upstream: crm }, sealed), 'of the upstream')
  assert.equal(openSession(key, { agent: b, upstream: crm }, sealed), undefined)
  assert.equal(openSession(key, { agent: a, upstream: upstream('pay') }, sealed), undefined)
  assert.equal(openSession(key, { agent: a, upstream: undefined }, sealed), undefined)
  assert.equal(openSession(Buffer.alloc(32, 2), { agent: a, upstream: crm }, sealed), undefined)
  assert.match(sealed, /^[A-Za-z0-9_-]+$/)
})

test('no bit of a sealed text can be changed, and no text serves another purpose', () => {
  const sealed = Buffer.from(seal(key, 'session', ['x']), 'base64url')
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(openSealed(key, 'session', changed.toString('base64url')), undefined)
  }
  assert.equal(openSealed(key, 'server-request', sealed.toString('base64url')), undefined)
  for (const text of ['', 'A', `${sealed.toString('base64url')}=`, 'A'.repeat(5000), '\u00e9']) assert.equal(openSealed(key, 'session', text), undefined)
})

test('the id of a server’s request keeps its type and its place', () => {
  for (const id of ['7', 7]) {
    const sealed = sealServerRequest(key, a, crm, 's', id)
    assert.deepEqual(openServerRequest(key, a, sealed), { upstream: 'crm', session: 's', id })
    assert.equal(openServerRequest(key, b, sealed), undefined)
  }
  assert.notEqual(sealServerRequest(key, a, crm, 's', 7), sealServerRequest(key, a, crm, 's', '7'))
  assert.equal(openServerRequest(key, a, 7), undefined)
})

function agent(name: string): SpiffeId {
  const [domain, tenant, parsed] = [parseTrustDomain('test.example'), parseTenantName('acme'), parseAgentName(name)]
  if (!domain || !tenant || !parsed) throw new TypeError(name)
  return agentIdentity(domain, tenant, parsed).id
}

function upstream(name: string): UpstreamName {
  const parsed = parseUpstreamName(name)
  if (!parsed) throw new TypeError(name)
  return parsed
}
