import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { enroll, identityInFolder, loadIdentity, openLink } from '@sallyport/runtime'
import { clock, wholeGateway } from '../fixtures/whole-gateway.ts'

test('an agent that serves calls cannot pose as the gateway with its certificate: neither to agents nor to whoever enrols', async (t) => {
  await using whole = await wholeGateway()
  await whole.configure([])
  await whole.start()
  for (const agent of ['bot', 'billing']) await whole.enrolAgent(agent)
  const { certificatePem, keyPem, bundlePem } = await loadIdentity(join(whole.folder, 'billing'))
  let heard = ''
  const impostor = createServer({ cert: certificatePem + bundlePem, key: keyPem }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()))
  })
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve))
  const address = impostor.address()
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-agent-'))
  t.after(async () => {
    impostor.close()
    await rm(directory, { recursive: true })
  })
  assert.ok(address && typeof address === 'object')
  const isNotDone = (error: unknown): boolean => error instanceof Fault && error.outcome === 'not-done'

  for (const host of ['127.0.0.1', 'localhost']) {
    const link = await openLink({
      identity: identityInFolder(join(whole.folder, 'bot')),
      gateway: { host, port: address.port },
      clock,
      report: () => undefined,
    })
    await assert.rejects(link.whoami(), isNotDone, host)
    await link.close()
  }
  const added = await whole.admin('agent.add', { tenant: 'acme', agent: 'third', person: 'ada' })
  assert.ok(typeof added === 'object' && added !== null && 'token' in added)
  await assert.rejects(enroll({ address: `127.0.0.1:${address.port}`, token: String(added.token), directory }), isNotDone)
  assert.equal(heard, '')
})
