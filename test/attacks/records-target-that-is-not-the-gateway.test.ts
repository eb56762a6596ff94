import assert from 'node:assert/strict'
import { createServer } from 'node:tls'
import { once } from 'node:events'
import { test } from 'node:test'
import { channelOver } from '../fixtures/record-channel.ts'
import { configureRecording } from '../fixtures/recording.ts'
import { makeAuthority, serverNames } from '../fixtures/edge-pki.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('[L3] [A14] a target of records that shows a certificate of another authority is told nothing, and what must be recorded is refused', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  const impostor = await makeAuthority('Impostor')
  const { certificatePem, keyPem } = await impostor.issue({ names: serverNames })
  let heard = ''
  const server = createServer({ cert: certificatePem, key: keyPem, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()))
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  try {
    await using opened = await channelOver({ port: typeof address === 'object' && address ? address.port : 0 }, whole, { record_within_ms: 300 })
    const recorded = await opened.channel.record({ kind: 'tool.ran' })
    assert.ok(recorded.kind === 'refused' && recorded.problem.code === 'connect.not-recorded')
    assert.match(opened.troubles.join(), /not the gateway that this agent enrolled with/)
  } finally {
    server.close()
  }
  assert.equal(heard, '')
})
