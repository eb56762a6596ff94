// OpenID Connect Core 1.0 section 3.1.3.7, RFC 8725: an ID token that is not this provider's, for this client, for this login, or that anyone could have signed.
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { after, test } from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { Browser, yes } from '../fixtures/browser.ts'
import { CrookedProvider, newKey, without, type Claims } from '../fixtures/crooked-provider.ts'
import { askAgent, openedSession, people, startLogin } from '../fixtures/people.ts'

const crooked = await CrookedProvider.start()
const all = await people({ others: { crooked: crooked.configured } })
after(async () => {
  await all[Symbol.asyncDispose]()
  await crooked[Symbol.asyncDispose]()
})
const { ticket } = await openedSession(all)
const another = newKey()
const now = (): number => Math.floor(Date.now() / 1000)

const claiming = (change: (claims: Claims) => Claims) => (): void => void (crooked.claims = change)
const signing = (signed: (claims: Claims) => string) => (): void => void (crooked.signed = signed)

const forgeries: Readonly<Record<string, () => void>> = {
  'of another client': claiming((claims) => ({ ...claims, aud: 'another-client' })),
  'for this client and another, presented by the other': claiming((claims) => ({ ...claims, aud: [claims['aud'], 'another-client'], azp: 'another-client' })),
  'of another issuer': claiming((claims) => ({ ...claims, iss: 'https://evil.example' })),
  'of the other configured provider': claiming((claims) => ({ ...claims, iss: all.provider.issuer })),
  'with another nonce': claiming((claims) => ({ ...claims, nonce: 'another' })),
  'without a nonce': claiming((claims) => without(claims, 'nonce')),
  'that has expired': claiming((claims) => ({ ...claims, exp: now() - 60 })),
  'without a subject': claiming((claims) => without(claims, 'sub')),
  'whose subject has line breaks': claiming((claims) => ({ ...claims, sub: 'ada\nadmin' })),
  'signed with another key': signing((claims) => crooked.sign(claims, undefined, another)),
  'signed with a key that nobody knows': signing((claims) => crooked.sign(claims, { alg: 'ES256', kid: 'unheard-of' })),
  'signed with a key that it brings along': signing((claims) =>
    crooked.sign(claims, { alg: 'ES256', kid: 'brought', jwk: createPublicKey(another).export({ format: 'jwk' }) }, another),
  ),
  'without a signature': signing((claims) => crooked.unsigned(claims)),
  'signed with the public key as a secret': signing((claims) => crooked.signedSymmetrically(claims)),
  'that is a ticket of this gateway': signing(() => ticket),
  'that is missing': () => void (crooked.answer = (answer) => without(answer, 'id_token')),
}

async function logInThere(): Promise<{ readonly text: string; readonly status: number }> {
  const browser = new Browser()
  const finish = await browser.submit(await browser.open((await startLogin(all, { provider: 'crooked' })).link))
  return finish.status === 200 ? browser.submit(finish, yes) : finish
}

for (const [what, forge] of Object.entries(forgeries)) {
  test(`an ID token ${what} opens no session`, async () => {
    crooked.claims = (claims) => claims
    crooked.signed = (claims) => crooked.sign(claims)
    crooked.answer = (answer) => answer
    forge()
    const before = await all.whole.admin('session.list', {})
    const page = await logInThere()
    assert.match(page.text, /login\.provider-failed/)
    assert.deepEqual(await all.whole.admin('session.list', {}), before)
  })
}

test('the same provider opens a session when it is honest', async () => {
  crooked.claims = (claims) => claims
  crooked.signed = (claims) => crooked.sign(claims)
  crooked.answer = (answer) => answer
  assert.match((await logInThere()).text, /can take up its session now/)
  assert.equal((await askAgent(all, ownPaths.sessionClaim, {})).said, 'answered')
})
