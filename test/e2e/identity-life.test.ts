import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { recoverAuthority } from '../../packages/gateway/src/control/authority/authority.ts'
import { openRoots } from '../../packages/gateway/src/control/authority/roots.ts'
import { enroll, loadIdentity, nextRenewalAt, renew } from '../../packages/runtime/src/enrolment/index.ts'
import { callOnce, invoiceBot, invoiceBotId, openGate, tokenFor, trustDomain, type Gate } from '../fixtures/identity-gate.ts'

/** The steps of `docs/operate/identity.md`, in its order. */

async function scene(t: TestContext): Promise<{ readonly gate: Gate; readonly directory: string }> {
  const gate = await openGate()
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-agent-'))
  t.after(async () => {
    await rm(directory, { recursive: true })
    await gate.close()
  })
  return { gate, directory }
}

async function enrolled(gate: Gate, directory: string): Promise<void> {
  const result = await enroll({ address: gate.enrolmentAddress, token: await tokenFor(gate), directory, gatewayAddress: gate.address })
  assert.equal(result.kind, 'enrolled')
}

test('[F1] enrol: the agent makes its key, the gateway names it, and both parts are in place', async (t) => {
  const { gate, directory } = await scene(t)
  await enrolled(gate, directory)

  const held = await loadIdentity(directory)
  assert.equal(held.identity.id, invoiceBotId)
  assert.equal((await callOnce(gate, held)).body.id, invoiceBotId)
  assert.equal((await stat(join(directory, 'agent.key'))).mode & 0o777, 0o600)
  assert.equal(await readFile(join(directory, 'agent.crt'), 'utf8'), held.certificatePem)
  assert.equal(await readFile(join(directory, 'bundle.crt'), 'utf8'), held.bundlePem)
  const due = nextRenewalAt(held) - gate.clock.nowMs
  assert.ok(due > 7.9 * 3_600_000 && due < 8.1 * 3_600_000, 'renewal is due at two thirds of twelve hours')
})

test('renew: a new key and certificate on the proof of the old, with the lineage written down', async (t) => {
  const { gate, directory } = await scene(t)
  await enrolled(gate, directory)
  const before = await loadIdentity(directory)
  assert.equal((await renew({ directory })).kind, 'renewed')

  const after = await loadIdentity(directory)
  assert.notEqual(after.keyPem, before.keyPem)
  assert.equal((await callOnce(gate, after)).body.id, invoiceBotId)
  const certificates = await gate.store.certificates(invoiceBot)
  const [first] = certificates.filter(({ previous }) => previous === undefined)
  const [second] = certificates.filter(({ previous }) => previous !== undefined)
  assert.equal(second?.previous, first?.thumbprint)
  assert.deepEqual(gate.notes.at(-1)?.subject['previous'], first?.thumbprint)

  await renew({ directory })
  assert.equal((await readdir(join(directory, 'certificates'))).length, 2, 'only the one before is kept')
})

test('renew: a stolen key cannot collect certificates without end', async (t) => {
  const { gate, directory } = await scene(t)
  await enrolled(gate, directory)
  let result = await renew({ directory })
  for (let renewals = 1; renewals < 10 && result.kind === 'renewed'; renewals += 1) result = await renew({ directory })
  assert.equal(result.kind === 'refused' && result.problem.code, 'identity.renewal-refused')
  assert.equal((await gate.store.certificates(invoiceBot)).length, 8)
})

test('revoke: at once, and the agent cannot renew its way back', async (t) => {
  const { gate, directory } = await scene(t)
  await enrolled(gate, directory)
  await gate.authority.agents.revoke(invoiceBot, 'ada')
  const result = await renew({ directory })
  assert.equal(result.kind === 'refused' && result.problem.code, 'identity.unauthenticated')
  assert.equal((await gate.store.certificates(invoiceBot)).length, 1)
})

test('rotate: no agent is refused in the middle, and the old root is retired when all have renewed', async (t) => {
  const { gate, directory } = await scene(t)
  await enrolled(gate, directory)
  const [old] = gate.authority.roots
  assert.ok(old)

  await gate.authority.rotateRoot('ada')
  assert.equal((await callOnce(gate, await loadIdentity(directory))).status, 200, 'before it knows of the new root')
  const early = await gate.authority.retireRoot(old.fingerprint, 'ada')
  assert.equal(early.kind, 'refused', 'still needed')

  assert.equal((await renew({ directory })).kind, 'renewed')
  const held = await loadIdentity(directory)
  assert.equal(held.bundlePem.match(/BEGIN/g)?.length, 2)
  // In place of the wait until the certificate before has ended.
  const before = (await gate.store.certificates(invoiceBot)).find(({ issuer }) => issuer === old.fingerprint)
  assert.ok(before)
  await gate.authority.agents.revokeCertificate(invoiceBot, before.thumbprint, 'ada')
  assert.equal((await gate.authority.retireRoot(old.fingerprint, 'ada')).kind, 'retired')
  assert.equal((await callOnce(gate, held)).status, 200, 'over the certificate of the new root, on both sides')
  assert.ok(!(await readdir(join(gate.directory, 'ca'))).includes(`root-${old.fingerprint}.key`), 'and its key is gone')
  assert.equal((await renew({ directory })).kind, 'renewed')
})

test('recover: with the keys lost and the gateway down, a new authority starts and every agent enrols anew', async (t) => {
  const { gate, directory } = await scene(t)
  await enrolled(gate, directory)
  const ca = join(gate.directory, 'ca')
  for (const file of await readdir(ca)) await rm(join(ca, file))
  await assert.rejects(openRoots(ca, randomBytes))

  const ports = { directory: ca, store: gate.store, note: async () => undefined, now: () => gate.clock.nowMs, random: randomBytes }
  await recoverAuthority(ports, trustDomain, 'ada')
  const roots = await openRoots(ca, randomBytes)
  assert.equal(roots.trusted.length, 1)
  assert.notEqual(roots.newest.fingerprint, gate.authority.roots[0]?.fingerprint)
  assert.equal((await gate.store.rosterState(gate.clock.nowMs)).revokedCertificates.length, 1)
})

test('recover: while the gateway runs, and the agent comes back with a new token in the same folder', async (t) => {
  const { gate, directory } = await scene(t)
  await enrolled(gate, directory)
  const old = await loadIdentity(directory)
  await gate.authority.recover('ada')
  await assert.rejects(renew({ directory }), 'it does not even trust the gateway any more')

  const made = await gate.authority.agents.createToken(invoiceBot, 'ada')
  assert.ok(made.kind === 'token')
  assert.equal((await enroll({ address: gate.enrolmentAddress, token: made.token, directory, gatewayAddress: gate.address })).kind, 'enrolled')
  assert.equal((await callOnce(gate, await loadIdentity(directory))).status, 200)
  await assert.rejects(callOnce(gate, old))
})
