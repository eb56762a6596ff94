import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenExchangeAnswer } from '@sallyport/contract'
import { exchangeBytesMax } from '../../packages/gateway/src/access/own/understand-delegation.ts'
import { claimsOf, delegationGate, exchangePath, idOf, permitDelegation, refusalOf } from '../fixtures/delegation.ts'
import { permitThings } from '../fixtures/whole-sessions.ts'

test('[F3] an agent passes its session on: a ticket of the same session for the other agent, whose chain names who passed it on', async () => {
  await using agents = await delegationGate()
  const { status, body } = await agents.exchange('bot', agents.ticket, 'billing', { scope: 'mail.send admin' })
  assert.equal(status, 200)
  const { access_token: ticket, expires_in: seconds, scope, token_type: type } = tokenExchangeAnswer.parse(body)
  assert.deepEqual([scope, type], ['mail.send', 'N_A'])
  const [parent, child] = [claimsOf(agents.ticket), claimsOf(ticket)]
  assert.ok(seconds <= 300 && child.expiresAtSeconds <= parent.expiresAtSeconds)
  assert.deepEqual([child.session, child.person, child.scopes], [parent.session, parent.person, ['mail.send']])
  assert.deepEqual([child.agent.id, child.earlierActors.map(({ id, thumbprint }) => [id, thumbprint])], [idOf('billing'), [[idOf('bot'), parent.thumbprint]]])
  assert.notEqual(child.thumbprint, parent.thumbprint)
  assert.equal(await agents.show('billing', ticket), 'answered')
  assert.equal(await agents.show('bot', agents.ticket), 'answered')

  const further = await agents.pass('billing', ticket, 'archive')
  assert.deepEqual(
    claimsOf(further).earlierActors.map(({ agent }) => agent),
    ['billing', 'bot'],
  )
  assert.deepEqual(claimsOf(further).scopes, ['mail.send'])
  assert.equal(await agents.show('archive', further), 'answered')

  const decisions = (await agents.gate.whole.events()).flatMap((event) => (event.type === 'decision' ? [event] : []))
  assert.deepEqual(
    decisions.flatMap(({ action, resource, caller, facts }) => (action === 'delegate' ? [[caller.agent, resource, caller.session, caller.actors, facts]] : [])),
    [
      ['bot', idOf('billing'), parent.session, undefined, undefined],
      ['billing', idOf('archive'), parent.session, [idOf('bot')], undefined],
    ],
  )
  assert.deepEqual(decisions.at(-1)?.caller.actors, [idOf('billing'), idOf('bot')])
  assert.ok(!JSON.stringify(await agents.gate.whole.events()).includes(ticket.slice(-40)), 'no ticket is in the log')
})

test('rules decide who may pass what on to whom, and see the chain', async () => {
  const rules = [
    { ...permitThings, when: '!subject.session || subject.actors.all(actor, actor == "spiffe://agents.example/tenant/acme/agent/bot")' },
    { ...permitDelegation, when: 'args.agent == "billing" && !("mail.send" in args.scopes)' },
    { id: 'chain', match: { upstream: 'sallyport', action: 'delegate', agent: 'billing' }, then: 'permit' },
  ]
  await using agents = await delegationGate({ rules })
  assert.equal(refusalOf(await agents.exchange('bot', agents.ticket, 'archive')), '400 invalid_target policy.no-rule')
  assert.equal(refusalOf(await agents.exchange('bot', agents.ticket, 'billing')), '400 invalid_target policy.no-rule')
  const passed = await agents.pass('bot', agents.ticket, 'billing', { scope: 'calendar.read' })
  assert.equal(await agents.show('billing', passed), 'answered')
  assert.equal(await agents.show('archive', await agents.pass('billing', passed, 'archive')), 'policy.no-rule')
})

test('a wide rule lets nobody pass a session on: the gateway itself must be named', async () => {
  await using agents = await delegationGate({
    rules: [
      { id: 'everything', match: {}, then: 'permit' },
      { id: 'all', match: { upstream: '*' }, then: 'permit' },
    ],
  })
  assert.equal(refusalOf(await agents.exchange('bot', agents.ticket, 'billing')), '400 invalid_target policy.no-rule')
})

test('a request for a ticket is read strictly, and refused in the words of the RFC', async () => {
  await using agents = await delegationGate()
  const { gate, ticket, held } = agents
  const expected: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ grant_type: 'refresh_token' }, '400 unsupported_grant_type access.unknown-method'],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }, '400 invalid_request access.malformed'],
    [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, '400 invalid_request access.malformed'],
    [{ actor_token: ticket }, '400 invalid_request access.malformed'],
    [{ resource: 'https://api.example' }, '400 invalid_request access.malformed'],
    [{ audience: 'https://api.example' }, '400 invalid_target access.delegation-refused'],
    [{ audience: 'spiffe://other.example/tenant/acme/agent/billing' }, '400 invalid_target access.delegation-refused'],
    [{ audience: idOf('billing', 'other') }, '400 invalid_target access.delegation-refused'],
    [{ audience: idOf('nobody') }, '502 temporarily_unavailable forward.peer-refused'],
    [{ scope: 'admin' }, '400 invalid_scope access.scope-unavailable'],
    [{ subject_token: 'nothing' }, '400 invalid_request identity.ticket-invalid'],
  ]
  for (const [changed, refusal] of expected) assert.equal(refusalOf(await agents.exchange('bot', ticket, 'billing', changed)), refusal, JSON.stringify(changed))
  const bot = held['bot'] ?? assert.fail()
  assert.equal(refusalOf(await gate.ask(bot, exchangePath)), '400 invalid_request access.method-not-allowed')
  assert.equal(refusalOf(await gate.ask(bot, exchangePath, [], {})), '400 invalid_request access.unsupported-media')
  const padded = (length: number): URLSearchParams => new URLSearchParams({ a: 'x'.repeat(length - 2) })
  assert.equal(refusalOf(await gate.ask(bot, exchangePath, [], padded(exchangeBytesMax))), '400 unsupported_grant_type access.unknown-method')
  assert.equal(refusalOf(await gate.ask(bot, exchangePath, [], padded(exchangeBytesMax + 1))), '400 invalid_request access.too-large')
  const twice = new URLSearchParams([
    ['grant_type', 'a'],
    ['grant_type', 'b'],
  ])
  assert.equal(refusalOf(await gate.ask(bot, exchangePath, [], twice)), '400 invalid_request access.malformed')
})

test('in a tenant that needs sessions a token exchange brings its own ticket', async () => {
  await using agents = await delegationGate({ more: { sessions: { required: 'acme' } } })
  assert.equal(await agents.show('billing', await agents.pass('bot', agents.ticket, 'billing')), 'answered')
})
