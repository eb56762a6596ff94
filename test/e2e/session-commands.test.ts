import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser, yes } from '../fixtures/browser.ts'
import { operator } from '../fixtures/operator.ts'
import { openedSession, people } from '../fixtures/people.ts'

test('an operator starts a login, sees the session, and revokes it', async () => {
  await using all = await people()
  const started = await operator(all.whole, ['session', 'start', 'acme/bot'])
  const link = /http:\S+/.exec(started.stdout)?.[0] ?? ''
  assert.match(started.stdout, /opens this link in a browser, once, until/)
  const browser = new Browser()
  await browser.submit(await browser.submit(await browser.open(link)), yes)
  const { sessions } = JSON.parse((await operator(all.whole, ['session', 'list', '--json'])).stdout)
  assert.match((await operator(all.whole, ['session', 'list', '--agent', 'acme/bot'])).stdout, /acme\/bot\s+ann\s+ready/)
  assert.match((await operator(all.whole, ['session', 'show', sessions[0].id])).stdout, /asked by\s+alice/)
  assert.match((await operator(all.whole, ['session', 'revoke', sessions[0].id])).stdout, /^revoked/)
  assert.match((await operator(all.whole, ['session', 'list'])).stdout, /No session/)
  assert.match((await operator(all.whole, ['session', 'list', '--all'])).stdout, /revoked/)
})

test('mistakes are told with what to do', async () => {
  await using all = await people()
  for (const [args, code, said] of [
    [['session', 'start', 'acme/nobody'], 1, /There is no agent acme\/nobody/],
    [['session', 'start', 'acme/bot', '--provider', 'other'], 64, /it has people/],
    [['session', 'start', 'acme/bot', '--device'], 1, /The device flow is off for people/],
    [['session', 'show', 'nothing'], 1, /There is no session nothing/],
    [['session', 'revoke'], 64, /name a session, or give --issued-before/],
    [['session', 'revoke', '--issued-before', 'yesterday'], 64, /Write a day/],
  ] as const) {
    const ran = await operator(all.whole, args)
    assert.deepEqual([ran.code, said.test(ran.stderr)], [code, true], ran.stderr)
  }
})

test('sessions from before a day are revoked by one command, and ticket keys are rotated without ending anything', async () => {
  await using all = await people()
  await openedSession(all)
  assert.match((await operator(all.whole, ['ticket-key', 'rotate'])).stdout, /rotated/)
  assert.match((await operator(all.whole, ['session', 'revoke', '--issued-before', '2126-01-01'])).stdout, /revoked 1 sessions/)
})
