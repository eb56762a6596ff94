import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { operator } from '../fixtures/operator.ts'
import { askAgent, openedSession, people, type People } from '../fixtures/people.ts'
import { spawnGateway } from '../fixtures/whole-gateway.ts'

async function keysAt({ provider }: People): Promise<readonly unknown[]> {
  const { jwks } = await provider.client()
  return typeof jwks === 'object' && jwks !== null && 'keys' in jwks && Array.isArray(jwks.keys) ? jwks.keys : []
}

test('[R2] an operator rotates the credential in one command: sessions go on, the provider refuses the old key, and the log has each step', async () => {
  await using all = await people({ registers: true })
  const { handle } = await openedSession(all)
  const before = await keysAt(all)
  const ran = await operator(all.whole, ['identity-provider', 'rotate', 'people'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(
    ran.stdout,
    /\[x\] A request with the old key shows that the provider refuses it.*\n\nrotated: people takes the new credential and refuses the old one/,
  )
  const after = await keysAt(all)
  assert.ok(after.length === 1 && JSON.stringify(after) !== JSON.stringify(before))
  const refreshed = await askAgent(all, ownPaths.sessionRefresh, { handle })
  assert.equal(refreshed.said, 'answered')

  await all.whole.stop()
  await all.whole.start()
  assert.equal((await askAgent(all, ownPaths.sessionRefresh, { handle: refreshed.body['handle'] })).said, 'answered', 'a restart goes on with the new key')
  const acts = (await all.whole.events()).flatMap((event) =>
    event.type === 'admin' && event.act.startsWith('provider-credential.') ? [[event.act.slice(20), event.person, event.subject['provider']]] : [],
  )
  assert.deepEqual(
    acts,
    ['prepared', 'registering', 'switched', 'withdrawing', 'rotated'].map((act) => [act, 'alice', 'people']),
  )
  assert.deepEqual(all.whole.faults, [])
})

test('[R2] where the provider wants a person the command says what to do, shows the public key, and goes on when asked again', async () => {
  await using all = await people()
  const begun = await operator(all.whole, ['identity-provider', 'rotate', 'people'])
  assert.match(begun.stdout, /\[>\] you: Let client sallyport at people have the new key beside the old one\./)
  const [key = ''] = /^\{.*\}$/m.exec(begun.stdout) ?? []
  assert.ok(!begun.stdout.includes('PRIVATE') && !('d' in JSON.parse(key)))
  await all.provider.changeClient({ jwks: { keys: [...(await keysAt(all)), JSON.parse(key)] } })
  assert.match((await operator(all.whole, ['identity-provider', 'rotate', 'people'])).stdout, /\[>\] you: Take the old key away/)
  await all.provider.changeClient({ jwks: { keys: [JSON.parse(key)] } })
  assert.match((await operator(all.whole, ['identity-provider', 'rotate', 'people'])).stdout, /rotated: people takes the new credential/)
})

test('[R2] a gateway that is killed while the provider changes its registration starts again, is let in, and ends the rotation', async () => {
  await using all = await people({ registers: true, idp: { features: { registrationManagement: { enabled: true, rotateRegistrationAccessToken: false } } } })
  const { handle } = await openedSession(all)
  await all.whole.stop()
  {
    await using killed = await spawnGateway(all.whole)
    all.provider.faultOnce('PUT /reg', 'hang-after')
    const running = operator(all.whole, ['identity-provider', 'rotate', 'people'])
    while ((await keysAt(all)).length === 1) await new Promise((resolve) => setTimeout(resolve, 5))
    killed.child.kill('SIGKILL')
    await running
  }
  await all.whole.start()
  const refreshed = await askAgent(all, ownPaths.sessionRefresh, { handle })
  assert.equal(refreshed.said, 'answered')
  assert.match((await operator(all.whole, ['identity-provider', 'rotate', 'people'])).stdout, /rotated: people takes the new credential/)
  assert.equal((await keysAt(all)).length, 1)
  assert.equal((await askAgent(all, ownPaths.sessionRefresh, { handle: refreshed.body['handle'] })).said, 'answered')
})

test('mistakes of an operator are told with what to do', async () => {
  await using all = await people()
  await writeFile(join(all.whole.folder, 'x.pem'), 'no certificate')
  const file = join(all.whole.folder, 'x.pem')
  for (const [args, code, said] of [
    [['nowhere'], 1, /no identity provider nowhere/],
    [['people', '--certificate', file], 64, /--certificate with --key/],
    [['people', '--key-id', 'x', '--secret-stdin'], 64, /give one of/],
    [['people', '--certificate', file, '--key', file], 64, /not a PEM certificate with its private key/],
    [['people', '--secret-stdin'], 64, /known there by a key/],
  ] as const) {
    const ran = await operator(all.whole, ['identity-provider', 'rotate', ...args], { input: 'a secret of tests\n' })
    assert.deepEqual([ran.code, said.test(ran.stderr)], [code, true], ran.stderr)
  }
  await rm(file)
})
