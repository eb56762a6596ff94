import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Approvals, pendingPerAgentMax, pendingPerTenantMax } from './approvals.ts'

const bot = { tenant: 'acme', agent: 'bot' }
const expiresAt = 1000

function asked(): Approvals {
  const approvals = new Approvals()
  approvals.ask('a1', bot, 'digest', expiresAt, 0)
  return approvals
}

test('the first answer counts, and later ones learn who gave it', () => {
  const approvals = asked()
  assert.deepEqual(approvals.answer('a1', 'approved', 'ana', 1), { kind: 'answered', digest: 'digest', requester: bot, expiresAt })
  assert.deepEqual(approvals.answer('a1', 'denied', 'ben', 2), { kind: 'already-answered', answer: 'approved', person: 'ana' })
  assert.equal(approvals.consume('a1', 3), true)
  assert.deepEqual(approvals.answer('a1', 'denied', 'ben', 4), { kind: 'already-answered', answer: 'approved', person: 'ana' })
})

test('an approval is used once', () => {
  const approvals = asked()
  assert.equal(approvals.consume('a1', 1), false, 'not before it is approved')
  approvals.answer('a1', 'approved', 'ana', 1)
  assert.equal(approvals.consume('a1', 2), true)
  assert.equal(approvals.consume('a1', 2), false)
  assert.equal(approvals.find(bot, 'digest', 2), undefined)
})

test('an approval holds before its end and not at it', () => {
  assert.equal(asked().answer('a1', 'approved', 'ana', expiresAt - 1).kind, 'answered')
  assert.deepEqual(asked().answer('a1', 'approved', 'ana', expiresAt), { kind: 'expired' })
  const approvals = asked()
  approvals.answer('a1', 'approved', 'ana', 1)
  assert.equal(approvals.consume('a1', expiresAt), false)
  assert.equal(approvals.find(bot, 'digest', expiresAt), undefined)
  assert.ok(approvals.find(bot, 'digest', expiresAt - 1))
})

test('nobody answers what was never asked', () => assert.deepEqual(asked().answer('a2', 'approved', 'ana', 1), { kind: 'unknown' }))

for (const person of ['bot', 'BOT', ' bot ', 'acme/bot', 'spiffe://agents.example.com/tenant/acme/agent/bot', 'ｂｏｔ']) {
  test(`the agent cannot answer its own request as ${JSON.stringify(person)}`, () => {
    const approvals = asked()
    assert.deepEqual(approvals.answer('a1', 'approved', person, 1), { kind: 'own-request' })
    assert.equal(approvals.find(bot, 'digest', 1)?.state.kind, 'pending')
  })
}

test('pending approvals are bounded for an agent and a tenant; others still have room', () => {
  const approvals = new Approvals()
  for (let count = 0; count < pendingPerAgentMax; count += 1) approvals.ask(`a${count}`, bot, `d${count}`, expiresAt, 0)
  assert.match(approvals.fullFor(bot, 1) ?? '', /of this agent/)
  assert.equal(approvals.fullFor({ tenant: 'acme', agent: 'other' }, 1), undefined)
  for (let count = pendingPerAgentMax; count < pendingPerTenantMax; count += 1)
    approvals.ask(`b${count}`, { tenant: 'acme', agent: `x${count}` }, 'd', expiresAt, 0)
  assert.match(approvals.fullFor({ tenant: 'acme', agent: 'other' }, 1) ?? '', /of this tenant/)
  assert.equal(approvals.fullFor({ tenant: 'globex', agent: 'bot' }, 1), undefined)
  assert.equal(approvals.fullFor(bot, expiresAt), undefined, 'those that are over do not count')
  approvals.answer('a0', 'denied', 'ana', 1)
  approvals.ask('later', bot, 'later', expiresAt * 3, expiresAt)
  assert.equal(approvals.list(expiresAt).length, 1, 'what is over is forgotten')
})
