import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { agentIdentity, parseTenantName } from '@sallyport/contract'
import { call, callOnce, clientOf, enrolAgent, invoiceBot, openGate } from '../fixtures/identity-gate.ts'

/** An agent at work, and an act that waits for the log's disk, which hangs until `wake`. */
async function behindHungDisk(t: TestContext) {
  const gate = await openGate()
  t.after(() => gate.close())
  const held = await enrolAgent(gate)
  gate.authority.roster.onChange(() => undefined) // the connection stays, to see that the next request is refused all the same
  const client = clientOf(gate, held)
  t.after(() => client.destroy())
  assert.equal((await call(gate, client)).status, 200)
  const disk = Promise.withResolvers<void>()
  gate.disk.answers = disk.promise
  const hanging = gate.authority.agents.createToken(invoiceBot, 'ada')
  return { gate, agents: gate.authority.agents, held, client, hanging, wake: disk.resolve }
}

test('[F1] a revocation counts from the next request on, also while an earlier act waits for a disk that hangs', async (t) => {
  const { gate, agents, client, hanging, wake } = await behindHungDisk(t)
  const revoked = agents.revoke(invoiceBot, 'ada')
  assert.equal((await call(gate, client)).status, 401)
  wake()
  await hanging
  assert.deepEqual(await revoked, { kind: 'revoked' })
  assert.deepEqual(
    (await gate.store.agents()).map(({ standing }) => standing),
    ['revoked'],
  )
})

test('[F1] so does the revocation of one certificate', async (t) => {
  const { gate, agents, client, hanging, wake } = await behindHungDisk(t)
  const [{ thumbprint } = assert.fail()] = await gate.store.certificates(invoiceBot)
  const revoked = agents.revokeCertificate(invoiceBot, thumbprint, 'ada')
  await gate.store.agents() // the certificate is looked up first
  assert.equal((await call(gate, client)).status, 401)
  wake()
  await hanging
  assert.deepEqual(await revoked, { kind: 'revoked' })
})

test('so does the kill switch, and a lift that was asked for before it does not undo it', async (t) => {
  const { gate, agents, held, client, hanging, wake } = await behindHungDisk(t)
  const first = agents.block({ scope: 'all' }, 'ada')
  assert.equal((await call(gate, client)).status, 403)
  const lifted = agents.lift({ scope: 'all' }, 'ada')
  const hangingToo = agents.createToken(invoiceBot, 'ada')
  const again = agents.block({ scope: 'all' }, 'ada')
  wake()
  await Promise.all([hanging, first, lifted])
  assert.equal(gate.authority.roster.isBlocked(invoiceBot.tenant, invoiceBot.agent), true)
  await Promise.all([hangingToo, again])
  assert.equal((await callOnce(gate, held)).status, 403)
  assert.deepEqual((await gate.store.rosterState(Date.now())).blocks, [{ scope: 'all' }])
})

test('[F1] a reinstatement that was asked for before a revocation does not undo it, though the revocation has to wait for its turn', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  await enrolAgent(gate)
  const { agents, roster } = gate.authority
  const { id } = agentIdentity(roster.trustDomain, invoiceBot.tenant, invoiceBot.agent)
  await agents.revoke(invoiceBot, 'ada')
  const disk = Promise.withResolvers<void>()
  const reinstated = agents.reinstate(invoiceBot, 'ada').finally(() => void (gate.disk.answers = disk.promise))
  const hanging = agents.register({ ...invoiceBot, tenant: parseTenantName('umbrella') ?? assert.fail() }, 'ada')
  const revoked = agents.revoke(invoiceBot, 'ada')
  assert.deepEqual(await reinstated, { kind: 'reinstated' })
  assert.equal(roster.standing(id), 'revoked')
  disk.resolve()
  await Promise.all([hanging, revoked])
  assert.deepEqual(
    (await gate.store.agents()).map(({ standing }) => standing),
    ['revoked', 'active'],
  )
})

test('[F1] a recovery of the authority lets nobody through from the moment it is asked for, nor does a rotation before it', async (t) => {
  const { gate, client, hanging, wake } = await behindHungDisk(t)
  const rotated = gate.authority.rotateRoot('ada')
  const recovered = gate.authority.recover('ada')
  assert.equal((await call(gate, client)).status, 401)
  wake()
  await Promise.all([hanging, rotated])
  assert.equal((await call(gate, client)).status, 401)
  await recovered
  assert.equal((await call(gate, client)).status, 401)
})

test('[F1] what other gateways widened before undoes no revocation and no block that is asked for here, before it has its turn and after', async (t) => {
  const { gate, agents, held, client, hanging, wake } = await behindHungDisk(t)
  const followed = agents.follow(async () => [
    { kind: 'standing', agent: invoiceBot, standing: 'active' },
    { kind: 'lifted', block: { scope: 'all' } },
  ])
  const narrowed = [agents.revoke(invoiceBot, 'ada'), agents.block({ scope: 'all' }, 'ada')] as const
  assert.equal((await call(gate, client)).status, 401)
  wake()
  await Promise.all([hanging, followed])
  const { roster } = gate.authority
  const refused = (): unknown => [
    roster.isBlocked(invoiceBot.tenant, invoiceBot.agent),
    roster.standing(agentIdentity(roster.trustDomain, invoiceBot.tenant, invoiceBot.agent).id),
  ]
  assert.deepEqual(refused(), [true, 'revoked'])
  await Promise.all(narrowed)
  assert.deepEqual(refused(), [true, 'revoked'])
  assert.notEqual((await callOnce(gate, held)).status, 200)
})
