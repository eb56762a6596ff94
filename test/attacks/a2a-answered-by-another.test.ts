import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSigner, signServer } from '../../packages/gateway/src/control/authority/sign-certificate.ts'
import type { HeldIdentity } from '@sallyport/runtime'
import { a2aGate, sending, type A2aGate } from '../fixtures/a2a-gate.ts'
import { makeAuthority } from '../fixtures/edge-pki.ts'
import { idOf } from '../fixtures/delegation.ts'

/** Who answers in place of the agent that is meant, and what the log then says. */
const impostors: readonly (readonly [who: string, identity: (gate: A2aGate) => Promise<HeldIdentity>, code: string, reason: RegExp])[] = [
  [
    'another agent of the same tenant',
    async ({ agents }) => agents.held['archive'] ?? assert.fail(),
    'forward.peer-refused',
    /agent\/archive answers where .*agent\/billing should/,
  ],
  [
    'someone with the right name of another authority',
    async ({ billing }) => ({ ...billing, ...(await (await makeAuthority()).issue({ names: [{ type: 'url', value: idOf('billing') }], usage: 'server' })) }),
    'forward.upstream-failed',
    /unable to verify|unable to get|self.signed/,
  ],
  ['a server that our own authority vouches for by its host name', hostNamed, 'forward.peer-refused', /identity\.certificate-invalid/],
]

for (const [who, identity, code, reason] of impostors) {
  test(`[F2] a call reaches nobody when ${who} answers`, async () => {
    await using gate = await a2aGate({ upstream: { ticket: 'delegated' } })
    gate.peer.show(await identity(gate))
    assert.equal((await gate.post(sending('secret plans'), { 'sallyport-ticket': gate.agents.ticket })).said, code)
    assert.equal((await gate.post('', {}, 'bot', '/a2a/billing/.well-known/agent-card.json')).said, code)
    assert.deepEqual(gate.peer.heard, [], 'not a byte of it was sent')
    const outcomes = (await gate.agents.gate.whole.events()).flatMap((event) => (event.type === 'outcome' && event.code === code ? [event] : []))
    assert.match(outcomes[0]?.reason ?? '', reason)
    assert.equal(outcomes[0]?.sent, false)
    gate.peer.show(gate.billing)
    assert.equal((await gate.post(sending('hello'))).said, 'answered')
  })
}

/** A certificate as the gateway's own listener has it, by the key of the authority. */
async function hostNamed({ agents, billing }: A2aGate): Promise<HeldIdentity> {
  const folder = join(agents.gate.whole.data, 'ca')
  const key = (await readdir(folder)).find((name) => name.endsWith('.key')) ?? assert.fail()
  const signer = await openSigner(billing.bundlePem, await readFile(join(folder, key), 'utf8'))
  const { pem, keyPem } = await signServer(signer, ['127.0.0.1'], 3_600_000, Date.now(), randomBytes)
  return { ...billing, certificatePem: pem, keyPem }
}
