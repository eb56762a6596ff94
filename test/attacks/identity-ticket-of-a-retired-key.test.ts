// Whoever has taken a key out of a backup, or a gateway that was turned off, holds it when it is retired.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rotationOverlapSeconds } from '../../packages/gateway/src/control/tickets/ticket-keys.ts'
import { ticketBench } from '../fixtures/tickets.ts'

test('[S3] tickets of the key before live to their end; what it signs afterwards counts for nothing', async () => {
  const bench = await ticketBench()
  const thief = await ticketBench()
  thief.kept = bench.kept
  thief.nowMs = bench.nowMs
  await thief.restart()
  const before = await bench.mint()
  await bench.tickets.rotate('ada')
  assert.equal(await bench.ask(before), 'session-1 of alice')
  assert.equal(await bench.ask(await bench.mint()), 'session-1 of alice')

  bench.nowMs += (rotationOverlapSeconds + 1) * 1000
  assert.equal(await bench.ask(before), 'session-1 of alice', 'it is not at its end')
  const forged = await thief.tickets.mint(bench.facts())
  assert.match(await bench.ask(forged), /outside its time/)
  bench.nowMs += 300_000
  const backdated = await thief.tickets.mint(bench.facts({ issuedAt: bench.nowMs - 300_000, expiresAt: bench.nowMs }))
  assert.match(await bench.ask(backdated), /outside its time|expired/)
})

test('a key that signs next does not count yet', async () => {
  const bench = await ticketBench()
  const thief = await ticketBench()
  thief.kept = bench.kept
  await thief.restart()
  await thief.tickets.rotate('thief')
  assert.match(await bench.ask(await thief.tickets.mint(bench.facts())), /outside its time/)
})

test('after a recovery no ticket counts that was issued before, from the moment it is asked for', async () => {
  const bench = await ticketBench()
  const before = await bench.mint()
  assert.equal(await bench.ask(before), 'session-1 of alice')
  const recovering = bench.tickets.recover('ada')
  assert.match(await bench.ask(before), /does not count any more/)
  await recovering
  assert.match(await bench.ask(before), /does not count any more/)
  assert.equal(await bench.ask(await bench.mint()), 'session-1 of alice')
})

test('an unknown key is asked for nowhere', async () => {
  const bench = await ticketBench()
  const stranger = await ticketBench()
  assert.match(await bench.ask(await stranger.tickets.mint(bench.facts())), /a key that does not count here/)
})
