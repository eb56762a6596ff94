import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyoneActive, principalOf } from '../../../../test/fixtures/access-request.ts'
import { ticketBench } from '../../../../test/fixtures/tickets.ts'
import { isPrincipal, principalInSession } from './identify.ts'
import { TicketVerifier, ticketsRememberedMax } from './verify-ticket.ts'

test('a signature is verified once, and what it is bound to is asked every time', async () => {
  const bench = await ticketBench()
  const ticket = await bench.mint()
  assert.equal(await bench.ask(ticket), 'session-1 of alice')
  assert.equal(bench.verifier.remembered, 1)
  assert.match(await bench.ask(ticket, await principalOf('acme', 'bot')), /bound to another certificate/)
  await bench.tickets.deny('session-1')
  assert.match(await bench.ask(ticket), /session-1, which is revoked/)
  assert.equal(bench.verifier.remembered, 1)
})

test('only so many tickets are remembered, the last used ones', async () => {
  assert.equal(ticketsRememberedMax, 4096)
  const bench = await ticketBench()
  const verifier = new TicketVerifier(bench.tickets.trust, everyoneActive, 3)
  const tickets = await Promise.all(Array.from({ length: 4 }, () => bench.mint()))
  const [first = '', ...others] = tickets
  for (const ticket of [first, ...others.slice(0, 2), first, ...others.slice(2)]) {
    assert.ok(!('problem' in (await verifier.verify(ticket, bench.bot, bench.nowMs, '/mcp'))))
    assert.ok(verifier.remembered <= 3)
  }
  assert.equal(verifier.remembered, 3)
})

test('only a principal that identity made gets a session', async () => {
  const bot = await principalOf('acme', 'bot')
  const session = { id: 's', generation: 1, issuer: 'https://idp.example', subject: 'alice', scopes: [], actors: [], endsAtSeconds: 0 }
  const inSession = principalInSession(bot, session)
  assert.ok(isPrincipal(inSession))
  assert.deepEqual([inSession.id, inSession.thumbprint, inSession.session, bot.session], [bot.id, bot.thumbprint, session, undefined])
  assert.throws(() => principalInSession({ ...bot } as unknown as typeof bot, session), TypeError)
})
