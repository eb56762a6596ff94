import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { exportJWK, type JWK } from 'jose'
import { jwkOf, newKeyPem, rotationBench, type RotationBench } from '../../../../../test/fixtures/credential-rotation.ts'
import { makeAuthority, serverNames } from '../../../../../test/fixtures/edge-pki.ts'
import type { ClientCredential } from './client-credential.ts'
import type { Rotation } from './rotate-credential.ts'

function waitingAt(rotation: Rotation): string {
  return rotation.kind === 'waiting' ? rotation.at : rotation.kind
}

function keyOf(credential: ClientCredential): string {
  return credential.method === 'secret' ? assert.fail('no key') : credential.keyPem
}

const actsOf = ({ noted }: RotationBench): readonly string[] => noted.map(({ act }) => act.replace('provider-credential.', ''))

for (const [kind, keyPem] of [
  ['P-256', newKeyPem()],
  ['Ed25519', newKeyPem('ed25519')],
] as const) {
  test(`[R2] where the provider offers RFC 7592, one run replaces the ${kind} key and ends with the old one refused`, async () => {
    await using bench = await rotationBench({ registers: true, keyPem })
    const token = await bench.secrets.revealShared('work-registration')
    const gateway = bench.live()
    const rotation = await gateway.rotate()
    assert.equal(rotation.kind, 'rotated', JSON.stringify(rotation))
    assert.ok(rotation.steps.every(({ by, state }) => by === 'gateway' && state === 'done'))
    const current = await gateway.current()
    assert.notEqual(keyOf(current), keyPem)
    assert.deepEqual(
      (await bench.keysAtProvider()).map(({ kid }) => kid),
      [(await jwkOf(keyOf(current))).kid],
    )
    assert.equal(await gateway.attempt(bench.configured), 'refused')
    assert.equal(await gateway.attempt(current), 'accepted')
    assert.notEqual(await bench.secrets.revealShared('work-registration'), token, 'the provider gave another token with each change')
    assert.deepEqual(actsOf(bench), ['prepared', 'registering', 'secret.rotated', 'switched', 'withdrawing', 'secret.rotated', 'rotated'])
    const kid = (await jwkOf(keyOf(current))).kid
    assert.deepEqual(bench.noted.at(-1), {
      type: 'admin',
      act: 'provider-credential.rotated',
      person: 'oscar',
      subject: { provider: 'work', method: 'private_key_jwt', key: kid, before: (await jwkOf(keyPem)).kid },
    })

    // And another life goes on with it, and can do so again.
    const later = bench.live()
    assert.deepEqual(await later.current(), current)
    assert.equal((await later.rotate()).kind, 'rotated')
    assert.equal((await bench.keysAtProvider()).length, 1)
    assert.equal(await later.attempt(current), 'refused')
  })
}

test('the new key is kept sealed, and not in the log', async () => {
  await using bench = await rotationBench({ registers: true })
  const gateway = bench.live()
  await gateway.rotate()
  const [line = ''] = keyOf(await gateway.current())
    .split('\n')
    .slice(1)
  for (const file of [bench.database, `${bench.database}-wal`]) assert.ok(!(await readFile(file, 'latin1')).includes(line))
  assert.ok(!JSON.stringify(bench.noted).includes(line) && line.length > 40)
})

test('[R2] without RFC 7592 a person is told each step, and each is done when the provider itself shows it', async () => {
  await using bench = await rotationBench()
  const gateway = bench.live()
  const begun = await gateway.rotate()
  assert.ok(begun.kind === 'waiting' && begun.at === 'register')
  assert.ok(begun.publicKey && !('d' in begun.publicKey))
  assert.deepEqual(
    begun.steps.map(({ id, by, state }) => `${id} ${by} ${state}`),
    [
      'prepare gateway done',
      'register person here',
      'prove-new gateway ahead',
      'switch gateway ahead',
      'withdraw person ahead',
      'prove-old-fails gateway ahead',
    ],
  )
  assert.deepEqual(await bench.live().rotate(), begun, 'nothing has happened, and no second key is made')
  assert.deepEqual(await gateway.current(), bench.configured)

  const [oldKey] = await bench.keysAtProvider()
  await bench.idp.changeClient({ jwks: { keys: [oldKey, begun.publicKey] } })
  assert.equal(waitingAt(await bench.live().rotate()), 'withdraw')
  assert.notDeepEqual(await gateway.current(), bench.configured)
  assert.equal(await gateway.refuses({ method: 'key-id', keyId: 'other' }), 'control.conflict')

  await bench.idp.changeClient({ jwks: { keys: [begun.publicKey] } })
  assert.equal((await bench.live().rotate()).kind, 'rotated')
  assert.equal(await gateway.attempt(bench.configured), 'refused')
  assert.deepEqual(actsOf(bench), ['prepared', 'switched', 'rotated'])
})

test('[R2] a key that the provider gives a name of its own is shown under that name', async () => {
  await using bench = await rotationBench()
  const gateway = bench.live()
  const begun = await gateway.rotate({ method: 'key-id', keyId: 'key 7 of work'.replaceAll(' ', '-') })
  assert.ok(begun.kind === 'waiting' && begun.publicKey?.kid === 'key-7-of-work')
  const renamed = await gateway.rotate({ method: 'key-id', keyId: 'key-8' })
  assert.ok(renamed.kind === 'waiting' && renamed.publicKey?.kid === 'key-8' && renamed.publicKey.x === begun.publicKey.x)
  await bench.idp.changeClient({ jwks: { keys: [renamed.publicKey] } })
  assert.equal((await gateway.rotate()).kind, 'rotated')
})

const aSecret = { token_endpoint_auth_method: 'client_secret_basic', client_secret: 'the first secret of tests', jwks: undefined }

test('[R2] a secret that a person brings takes the place of the old one, which is forgotten only once the provider refuses it', async () => {
  await using bench = await rotationBench({ client: aSecret, authentication: { method: 'secret', secret: 'work' } })
  const gateway = bench.live()
  assert.equal(await gateway.refuses(), 'control.conflict', 'there is none yet')
  await bench.secrets.set({ kind: 'shared' }, 'work', aSecret.client_secret, 0)
  assert.equal(waitingAt(await gateway.rotate()), 'prepare')
  assert.equal(await gateway.refuses({ method: 'secret', secret: aSecret.client_secret }), 'control.invalid-input', 'it would never be refused')
  const offered = { method: 'secret', secret: 'the second secret of tests' } as const
  assert.equal(waitingAt(await gateway.rotate(offered)), 'register')
  await bench.idp.changeClient({ client_secret: offered.secret })
  assert.equal((await gateway.rotate()).kind, 'rotated')
  assert.deepEqual(await gateway.current(), offered)
  assert.ok(!JSON.stringify(bench.noted).includes('secret of tests'))

  await bench.secrets.rotate({ kind: 'shared' }, 'work', 'the third secret of tests', 1)
  assert.deepEqual(await gateway.current(), { method: 'secret', secret: 'the third secret of tests' }, 'what an operator sets afterwards counts')
})

/** As a provider keeps it. */
async function registeredAs(certificatePem: string): Promise<JWK> {
  return { ...(await exportJWK(new X509Certificate(certificatePem).publicKey)), x5c: [new X509Certificate(certificatePem).raw.toString('base64')] }
}

for (const [who, isRootEnded] of [
  ['the provider', false],
  ['the TLS before it', true],
] as const) {
  test(`[R2] a certificate that a person brings takes the place of the old one, which ${who} then refuses`, async () => {
    const [servers, oldRoot, newRoot] = await Promise.all([makeAuthority(), makeAuthority('Old'), makeAuthority('New')])
    const [server, first, second] = await Promise.all([servers.issue({ names: serverNames, usage: 'server' }), oldRoot.issue(), newRoot.issue()])
    const provider = { ...server, clientRootPems: [oldRoot.rootPem] }
    await using bench = await rotationBench({
      keyPem: first.keyPem,
      tls: { provider, ca: servers.rootPem, certificatePem: first.certificatePem },
      authentication: { method: 'tls', key: 'client.key', certificate: 'client.crt' },
      client: { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [await registeredAs(first.certificatePem)] } },
    })
    const gateway = bench.live()
    assert.equal(await gateway.attempt(bench.configured), 'accepted')
    assert.equal(waitingAt(await gateway.rotate()), 'prepare')
    assert.equal(waitingAt(await gateway.rotate({ method: 'tls', ...second })), 'register')
    bench.idp.changeTls({ ...provider, clientRootPems: [oldRoot.rootPem, newRoot.rootPem] })
    await bench.idp.changeClient({ jwks: { keys: [await registeredAs(first.certificatePem), await registeredAs(second.certificatePem)] } })
    assert.equal(waitingAt(await gateway.rotate()), 'withdraw')
    assert.deepEqual(await bench.live().current(), { method: 'tls', ...second })
    bench.idp.faultOnce('/token', 'reset-before')
    assert.equal(waitingAt(await gateway.rotate()), 'withdraw', 'one connection that ends is no answer')
    if (isRootEnded) bench.idp.changeTls({ ...provider, clientRootPems: [newRoot.rootPem] })
    else await bench.idp.changeClient({ jwks: { keys: [await registeredAs(second.certificatePem)] } })
    assert.equal((await gateway.rotate()).kind, 'rotated')
    assert.equal(await gateway.attempt(bench.configured), 'refused')
  })
}

test('what is of another kind than the credential is not taken', async () => {
  await using bench = await rotationBench()
  const gateway = bench.live()
  assert.equal(await gateway.refuses({ method: 'secret', secret: 'a secret of tests' }), 'control.invalid-input')
  assert.equal(await gateway.refuses({ method: 'tls', certificatePem: 'x', keyPem: 'x' }), 'control.invalid-input')
  assert.deepEqual(bench.noted, [])
})

const oddAnswers = [
  'html-error',
  'empty-400',
  'empty-200',
  'reset-after',
  'redirect',
  { status: 429, json: { error: 'slow_down' } },
  { status: 500, json: { error: 'invalid_client' } },
  { status: 400, json: { error: 'invalid_request' } },
] as const

test('[R2] nothing is switched, and nothing is forgotten, on the word of a provider that does not answer properly', async () => {
  await using bench = await rotationBench()
  const gateway = bench.live()
  const begun = await gateway.rotate()
  assert.ok(begun.kind === 'waiting' && begun.publicKey)
  const [oldKey] = await bench.keysAtProvider()
  await bench.idp.changeClient({ jwks: { keys: [oldKey, begun.publicKey] } })
  for (const answer of oddAnswers) {
    bench.idp.faultOnce('/token', answer)
    assert.equal(waitingAt(await gateway.rotate()), 'prove-new', JSON.stringify(answer))
    assert.deepEqual(await gateway.current(), bench.configured)
  }
  await gateway.rotate()
  await bench.idp.changeClient({ jwks: { keys: [begun.publicKey] } })
  for (const answer of oddAnswers) {
    bench.idp.faultOnce('/token', answer)
    assert.equal(waitingAt(await gateway.rotate()), 'prove-old-fails', JSON.stringify(answer))
  }
  assert.equal((await gateway.rotate()).kind, 'rotated')
})

test('[R2] a provider that says yes to everyone has not taken the new one, and one that says no to everyone has not refused the old one', async () => {
  await using bench = await rotationBench()
  const gateway = bench.live()
  const begun = await gateway.rotate()
  assert.ok(begun.kind === 'waiting' && begun.publicKey)
  bench.idp.fault('/token', { status: 400, json: { error: 'invalid_grant' } })
  assert.equal(waitingAt(await gateway.rotate()), 'prove-new')
  assert.deepEqual(await gateway.current(), bench.configured)
  bench.idp.fault('/token', 'pass')

  const [oldKey] = await bench.keysAtProvider()
  await bench.idp.changeClient({ jwks: { keys: [oldKey, begun.publicKey] } })
  assert.equal(waitingAt(await gateway.rotate()), 'withdraw')
  bench.idp.fault('/token', { status: 401, json: { error: 'invalid_client' } })
  assert.equal(waitingAt(await gateway.rotate()), 'prove-old-fails')
  bench.idp.fault('/token', 'pass')
  assert.equal(waitingAt(await gateway.rotate()), 'withdraw', 'the old one is still known, and still taken')
})

for (const [what, prepare, reason] of [
  ['a token that is not accepted', (bench: RotationBench) => bench.secrets.rotate({ kind: 'shared' }, 'work-registration', 'not-the-token', 1), /not accepted/],
  ['no token', (bench: RotationBench) => bench.secrets.remove({ kind: 'shared' }, 'work-registration'), /not set/],
  ['an error page', (bench: RotationBench) => bench.idp.fault('/reg', 'html-error'), /answered 503/],
  ['nothing', (bench: RotationBench) => bench.idp.fault('/reg', 'empty-200'), /cannot be read/],
  ['a redirect', (bench: RotationBench) => bench.idp.fault('/reg', 'redirect'), /answered 307/],
  ['the registration of another', (bench: RotationBench) => bench.idp.fault('/reg', { status: 200, json: { client_id: 'other' } }), /of another client/],
  [
    'keys at a URL',
    (bench: RotationBench) => bench.idp.fault('/reg', { status: 200, json: { client_id: 'sallyport', jwks_uri: 'https://x.example' } }),
    /at a URL/,
  ],
] as const) {
  test(`a registration that gives ${what} leaves the step to a person, and the rotation goes on once it is done`, async () => {
    await using bench = await rotationBench({ registers: true })
    const gateway = bench.live()
    await prepare(bench)
    const begun = await gateway.rotate()
    assert.ok(begun.kind === 'waiting' && begun.at === 'register' && begun.publicKey, JSON.stringify(begun))
    assert.match(begun.reason, reason)
    await bench.idp.changeClient({ jwks: { keys: [begun.publicKey] } })
    assert.equal((await gateway.rotate()).kind, 'rotated')
  })
}

test('[R2] a key that the provider has under two names is withdrawn under both', async () => {
  const keyPem = newKeyPem()
  const jwk = await jwkOf(keyPem)
  await using bench = await rotationBench({ registers: true, keyPem, client: { jwks: { keys: [jwk, { ...jwk, kid: 'of-old' }] } } })
  assert.equal((await bench.live().rotate()).kind, 'rotated')
  assert.equal((await bench.keysAtProvider()).length, 1)
})

test('[S7] a credential that the provider refuses, or that cannot be had, leaves every refresh token as good as before', async () => {
  await using bench = await rotationBench({ client: aSecret, authentication: { method: 'secret', secret: 'work' } })
  const gateway = bench.live()
  assert.deepEqual(await gateway.refresh('a token'), { kind: 'unsent', reason: 'the secret work is not set' })
  await bench.secrets.set({ kind: 'shared' }, 'work', 'not the secret of tests', 0)
  assert.deepEqual(await gateway.refresh('a token'), { kind: 'unsent', reason: 'the provider does not accept this gateway as its client' })
  await bench.secrets.rotate({ kind: 'shared' }, 'work', aSecret.client_secret, 1)
  assert.equal((await gateway.refresh('a token')).kind, 'refused')
})
