import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, openGate } from '../fixtures/edge-gate.ts'

// A resumed handshake skips expiry, revocation lists and even the removal of the authority.
test('no session is resumed, with the certificate or without it', async () => {
  const gate = await openGate()
  const sessions: Buffer[] = []
  const first = await gate.connect()
  first.socket.on('session', (session: Buffer) => sessions.push(session))
  first.send(get('connection: close'))
  assert.match(await first.rest(), /^HTTP\/1\.1 200 /)
  const held = first.socket.getSession()
  if (held) sessions.push(held)
  assert.ok(sessions.length > 0, 'the client has something to try')

  for (const session of sessions) {
    const again = await gate.connect({ session })
    assert.equal(again.socket.isSessionReused(), false)
    again.socket.destroy()

    const anonymous = await gate.connect({ session, cert: undefined, key: undefined })
    anonymous.send(get())
    assert.equal(await anonymous.rest(), '')
  }
  assert.equal(gate.handled.length, 1, 'only the first call was handled')
})
