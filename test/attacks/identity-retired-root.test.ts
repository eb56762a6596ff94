import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, callOnce, clientOf, enrolAgent, invoiceBot, invoiceBotId, makeCsr, openGate } from '../fixtures/identity-gate.ts'

test('a certificate under a retired root is refused on its live connection and on a new one', async (t) => {
  const gate = await openGate()
  gate.authority.roster.onChange(() => undefined) // the connection stays, to see that the next request is refused all the same
  const client = clientOf(gate, await enrolAgent(gate))
  t.after(() => {
    client.destroy()
    return gate.close()
  })
  const [old] = gate.authority.roots
  assert.ok(old)
  await gate.authority.rotateRoot('ada')
  assert.equal((await call(gate, client)).status, 200, 'both roots are trusted between rotation and retirement')

  const early = await gate.authority.retireRoot(old.fingerprint, 'ada')
  assert.equal(early.kind === 'refused' && early.problem.code, 'control.conflict', 'a certificate under it still counts')
  assert.equal((await call(gate, client)).status, 200)

  await gate.authority.retireRoot(old.fingerprint, 'ada', true)
  const refusal = await call(gate, client)
  assert.deepEqual([refusal.isReused, refusal.status, refusal.body.code], [true, 401, 'identity.unauthenticated'])
  assert.match(gate.refusals[0] ?? '', /issuer-retired/)
  assert.equal(gate.admitted.length, 2)
})

test('after the recovery of a lost authority nothing issued before opens the gate, and a new token does', async (t) => {
  const gate = await openGate()
  t.after(() => gate.close())
  const old = await enrolAgent(gate)
  const open = await gate.authority.agents.createToken(invoiceBot, 'ada')
  assert.ok(open.kind === 'token')

  await gate.authority.recover('ada')
  await assert.rejects(callOnce(gate, old))
  assert.ok('kind' in (await gate.authority.enrol(open.token, (await makeCsr()).csrPem, '127.0.0.1')), 'a token from before is void')
  assert.deepEqual(gate.admitted, [])

  const anew = await gate.authority.agents.createToken(invoiceBot, 'ada')
  assert.ok(anew.kind === 'token')
  const { csrPem, keyPem } = await makeCsr()
  const answer = await gate.authority.enrol(anew.token, csrPem, '127.0.0.1')
  assert.ok('certificatePem' in answer)
  assert.equal((await callOnce(gate, { certificatePem: answer.certificatePem, keyPem })).body.id, invoiceBotId)
})
