// Of two fields two readers can pick different ones.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ticketHeader, ticketLimits } from '@sallyport/contract'
import { sessionGate } from '../fixtures/whole-sessions.ts'

test('[S3] two tickets, two in one field, an empty one and one that is too long are refused, never ignored', async () => {
  await using gate = await sessionGate()
  const held = await gate.held()
  const { ticket } = await gate.claim(held)
  const say = async (...values: string[]): Promise<string> =>
    (
      await gate.ask(
        held,
        '/http/api/things/1',
        values.map((value) => [ticketHeader, value] as const),
      )
    ).said
  assert.equal(await say(ticket), 'answered')
  assert.equal(await say(ticket, ticket), 'edge.malformed')
  assert.equal(await say('x', ticket), 'edge.malformed')
  assert.equal(await say(`${ticket}, ${ticket}`), 'identity.ticket-invalid')
  assert.equal(await say(`${ticket},`), 'identity.ticket-invalid')
  assert.equal(await say(''), 'identity.ticket-invalid')
  assert.equal(await say(ticket.padEnd(ticketLimits.charactersMax + 1, 'A')), 'identity.ticket-invalid')
  assert.equal((await gate.ask(held, '/http/api/things/1', [['Sallyport-Ticket', ticket]])).said, 'answered', 'names of fields have no case')
  assert.equal((await gate.ask(held, '/http/api/things/1', [['sallyport_ticket', ticket]])).said, 'edge.malformed')
  assert.equal(gate.whole.seen.length, 2)
})
