import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockSkewSecondsMax } from '../../packages/gateway/src/identity/verify-ticket.ts'
import { ticketBench } from '../fixtures/tickets.ts'

test('[S3] a ticket ends at its end, also one whose signature is remembered', async () => {
  const bench = await ticketBench()
  const ticket = await bench.mint()
  assert.equal(await bench.ask(ticket), 'session-1 of alice')
  bench.nowMs += 299_999
  assert.equal(await bench.ask(ticket), 'session-1 of alice')
  bench.nowMs += 1
  assert.match(await bench.ask(ticket), /^identity\.ticket-invalid: expired/)
})

test('a ticket of the future counts only within what clocks differ by', async () => {
  const bench = await ticketBench()
  const ahead = bench.nowMs + clockSkewSecondsMax * 1000
  assert.equal(await bench.ask(await bench.mint({ issuedAt: ahead, expiresAt: ahead + 300_000 })), 'session-1 of alice')
  assert.match(await bench.ask(await bench.mint({ issuedAt: ahead + 1000, expiresAt: ahead + 300_000 })), /not valid yet/)
})

test('a ticket of more than five minutes is not made', async () => {
  const bench = await ticketBench()
  await assert.rejects(bench.mint({ expiresAt: bench.nowMs + 301_000 }), /cannot be written as a ticket/)
})
