import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { openSigner, signServer } from '../../packages/gateway/src/control/authority/sign-certificate.ts'
import { enroll } from '../../packages/runtime/src/enrolment/index.ts'
import { openGate, tokenFor } from '../fixtures/identity-gate.ts'

test('a token is not told to an impostor, not even to one that shows the true root behind its own certificate', async (t) => {
  const gate = await openGate()
  const impostor = await openGate()
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-agent-'))
  const token = await tokenFor(gate)
  const [trueRoot = ''] = gate.authority.serverCredentials.rootsPem
  const theirs = impostor.authority.roots.at(-1)
  assert.ok(theirs)
  // A leaf that claims the true root as its issuer, signed with the impostor's key: its chain looks right until someone checks the signature.
  const signer = await openSigner(trueRoot, await readFile(join(impostor.directory, 'ca', `root-${theirs.fingerprint}.key`), 'utf8'))
  const { pem: leaf, keyPem } = await signServer(signer, ['127.0.0.1'], 3_600_000, Date.now(), randomBytes)
  let heard = ''
  const server = createServer({ cert: leaf + trueRoot, key: keyPem }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => (heard += bytes.toString()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  t.after(async () => {
    server.close()
    await rm(directory, { recursive: true })
    await gate.close()
    await impostor.close()
  })
  assert.ok(address && typeof address === 'object')

  for (const place of [`127.0.0.1:${address.port}`, impostor.enrolmentAddress]) {
    await assert.rejects(enroll({ address: place, token, directory }), (error) => error instanceof Fault && error.outcome === 'not-done')
  }
  assert.equal(heard, '', 'not a byte of the request arrived')
  assert.deepEqual(await readdir(directory), [], 'and no key lies around')
  const honest = await enroll({ address: gate.enrolmentAddress, token, directory, gatewayAddress: gate.address })
  assert.equal(honest.kind, 'enrolled', 'the token is unused')
})
