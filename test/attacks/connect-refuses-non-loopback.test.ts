import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { openBridge } from '../../packages/runtime/src/connect/bridge.ts'
import { enrolledFolder, linkTo, realClock, startBridge, startPeer } from '../fixtures/mtls-echo.ts'

for (const host of ['0.0.0.0', '::', '192.0.2.1', '127.0.0.1.evil.example', '10.0.0.1', '', 'example.com', '::ffff:127.0.0.1']) {
  test(`the bridge does not listen on ${JSON.stringify(host)}`, async (t) => {
    const peer = await startPeer(t)
    const link = await linkTo(t, await enrolledFolder(t, peer))
    const secret = randomBytes(32).toString('base64url')
    const opening = openBridge({
      link,
      listen: { host, port: 0 },
      allowedOrigins: [],
      clientSecret: secret,
      clock: realClock,
      newId: randomUUID,
      report: () => {},
    })
    await assert.rejects(
      opening.then((bridge) => bridge.close()),
      (error) => error instanceof Fault && error.outcome === 'not-done' && /not loopback/.test(error.message),
    )
  })
}

test('no other address of this machine reaches a bridge that runs', async (t) => {
  const { bridge } = await startBridge(t)
  const others = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
  for (const { address } of others) {
    const socket = connect(bridge.port, address)
    const outcome = await new Promise((resolve) => {
      socket.once('connect', () => resolve('connected'))
      socket.once('error', () => resolve('refused'))
    })
    socket.destroy()
    assert.equal(outcome, 'refused', address)
  }
})
