import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import test from 'node:test'
import { ticketHeader } from '@sallyport/contract'
import { sessionGate } from '../fixtures/whole-sessions.ts'

test('a session that is revoked while the body of a call still arrives has no part in that call', async () => {
  await using gate = await sessionGate({ sessions: { required: '*' } }, undefined, [
    { id: 'things', match: { upstream: 'api', action: 'unlisted' }, then: 'permit' },
  ])
  const held = await gate.held()
  const { session, ticket } = await gate.claim(held)
  const [host, port] = gate.whole.running.addresses.agents.split(':')
  const { certificatePem: cert, keyPem: key, bundlePem: ca } = held
  const headers = { 'content-type': 'application/json', 'content-length': '2', [ticketHeader]: ticket }
  const sent = request({ host, port, path: '/http/api/things/1', method: 'POST', agent: false, cert, key, ca, minVersion: 'TLSv1.3', headers })
  const answering = once(sent, 'response')
  sent.flushHeaders()
  await new Promise((resolve) => sent.write('{', resolve))
  await new Promise((resolve) => setTimeout(resolve, 200)) // the head is judged, and the call waits for the rest of its body
  await gate.whole.admin('session.revoke', { session, person: 'oscar' })
  sent.end('}')
  const [answer] = await answering
  assert.equal(answer.headers['sallyport-problem'], 'identity.ticket-invalid')
  assert.equal(gate.whole.seen.length, 0)
})
