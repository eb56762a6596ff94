import assert from 'node:assert/strict'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { test } from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { loadIdentity } from '@sallyport/runtime'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('[L3] [A14] a runtime without a certificate, or with one that was revoked, records nothing', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  const bot = await recorder(whole)
  await bot.open()
  const { bundlePem } = await loadIdentity(join(whole.folder, 'bot'))
  const [host = '', port = ''] = whole.running.addresses.agents.split(':')
  const body = JSON.stringify({ run: bot.run, first: 1, records: [happened('forged')] })
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect({ host, port: Number(port), ca: bundlePem, minVersion: 'TLSv1.3' }, () =>
      socket.write(
        `POST ${ownPaths.records} HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      ),
    )
    socket.on('data', (piece: Buffer) => (text += piece.toString()))
    socket.on('error', (error: Error) => (text += error.message))
    socket.once('close', () => resolve(text))
  })
  assert.doesNotMatch(answer, /HTTP\/1\.1 200/)
  assert.match(answer, /certificate/i)

  await whole.admin('agent.revoke', { tenant: 'acme', agent: 'bot', person: 'oscar' })
  const revoked = await bot.send(1, [happened('forged')]).catch(() => undefined)
  assert.ok(revoked === undefined || revoked.said === 'identity.unauthenticated', revoked?.said)
  assert.equal(
    (await whole.events()).some(({ type }) => type === 'record'),
    false,
  )
})
