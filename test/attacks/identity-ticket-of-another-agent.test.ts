import assert from 'node:assert/strict'
import { test } from 'node:test'
import { principalOf } from '../fixtures/access-request.ts'
import { ticketBench } from '../fixtures/tickets.ts'

test('[S3] a ticket counts for its own agent alone, whatever certificate it names, in whatever tenant', async () => {
  const bench = await ticketBench()
  const own = await bench.mint()
  assert.equal(await bench.ask(own), 'session-1 of alice')
  for (const other of [await principalOf('acme', 'thief'), await principalOf('evil', 'bot')]) {
    assert.match(await bench.ask(own, other), /of another agent/)
    assert.match(await bench.ask(await bench.mint({ thumbprint: other.thumbprint }), other), /of another agent/)
  }
})
