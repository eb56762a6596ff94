/** Whoever answers at the address of the receiver must show that it is the receiver, before it gets a single entry. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { makeAuthority, serverNames } from '../fixtures/edge-pki.ts'
import { eventNumber, newSigner, temporaryFolder } from '../fixtures/log-folder.ts'
import { appendEvents, runExport, shortDeadlines, toReceiver } from '../fixtures/running-export.ts'
import { startReceiver } from '../fixtures/syslog.ts'

const trusted = await makeAuthority('Trusted')
const impostors = {
  'of another authority': await (await makeAuthority('Trusted')).issue({ names: serverNames, usage: 'server' }),
  'of another name': await trusted.issue({ names: [{ type: 'dns', value: 'other.example' }], usage: 'server' }),
  'that has ended': await trusted.issue({ names: serverNames, usage: 'server', notBefore: new Date(0), notAfter: new Date(1000) }),
}

for (const [what, credentials] of Object.entries(impostors)) {
  test(`a receiver with a certificate ${what} gets nothing, and the export says why`, async (t) => {
    const folder = temporaryFolder(t)
    await appendEvents(folder, newSigner(), [eventNumber(0)])
    const receiver = await startReceiver(t, { credentials })
    const run = runExport(t, folder, { name: 'siem', format: 'syslog', to: toReceiver({ port: receiver.port, authority: trusted }) }, shortDeadlines)
    await run.until(({ failures }) => failures > 0)
    assert.match(run.state().failure ?? '', /CERT_SIGNATURE_FAILURE|UNABLE_TO_VERIFY|ERR_TLS_CERT_ALTNAME_INVALID|CERT_HAS_EXPIRED|SELF_SIGNED/)
    assert.deepEqual([run.state().next, run.state().lagEntries, receiver.frames], [0, 1, []])
  })
}

test('a receiver that asks for a certificate gets entries only from who shows one', async (t) => {
  const folder = temporaryFolder(t)
  await appendEvents(folder, newSigner(), [eventNumber(0)])
  const receiver = await startReceiver(t, { authority: trusted, asksForCertificate: true })
  const to = toReceiver(receiver)
  const without = runExport(t, folder, { name: 'without', format: 'syslog', to }, shortDeadlines)
  await without.until(({ failures }) => failures > 0)
  assert.equal(without.state().next, 0)
  await without.stop()
  const { certificatePem, keyPem } = await trusted.issue()
  const run = runExport(t, folder, { name: 'with', format: 'syslog', to: { ...to, certificate: certificatePem, key: keyPem } }, shortDeadlines)
  await run.until(({ next }) => next === 1)
  assert.equal(receiver.frames.length, 1)
})
