import assert from 'node:assert/strict'
import { after, mock, test } from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { Browser, yes, type Page } from '../fixtures/browser.ts'
import { CrookedProvider } from '../fixtures/crooked-provider.ts'
import { askAgent, people, startLogin } from '../fixtures/people.ts'

const crooked = await CrookedProvider.start()
const all = await people({ others: { crooked: crooked.configured } })
after(async () => {
  await all[Symbol.asyncDispose]()
  await crooked[Symbol.asyncDispose]()
})

async function logInThere(): Promise<Page> {
  const browser = new Browser()
  const finish = await browser.submit(await browser.open((await startLogin(all, { provider: 'crooked' })).link))
  return finish.status === 200 ? browser.submit(finish, yes) : finish
}

const isDone = ({ text }: Page): boolean => text.includes('can take up its session now')

async function claimed(): Promise<string> {
  return (await askAgent(all, ownPaths.sessionClaim, {})).said
}

const odd = [
  { what: 'an error page in HTML', status: 503, body: '<h1>Service Unavailable</h1>' },
  { what: 'a page in HTML that is no error', status: 200, body: '<h1>Welcome</h1>' },
  { what: 'an empty error', status: 400, body: '' },
  { what: 'an empty answer', status: 200, body: '' },
  { what: 'half an answer', status: 200, body: '{"access_token":"x"' },
  { what: 'a list', status: 200, body: '[]' },
] as const

for (const path of ['/.well-known/openid-configuration', '/token', '/jwks']) {
  test(`[S7] [S9] a login where ${path} answers with what is no answer fails with a clear code, opens nothing, and uses nothing up`, async () => {
    await using provider = await CrookedProvider.start()
    await using gate = await people({ others: { odd: provider.configured } })
    const logIn = async (): Promise<Page> => {
      const browser = new Browser()
      return browser.submit(await browser.open((await startLogin(gate, { provider: 'odd' })).link))
    }
    for (const { what, status, body } of odd) {
      provider.instead = (asked) => (asked === path ? { status, body } : undefined)
      provider.revoked.length = 0
      assert.match((await logIn()).text, /login\.provider-failed/, what)
      assert.deepEqual(provider.revoked, path === '/jwks' ? ['a-refresh-token'] : [], 'what cannot be used is given back')
    }
    assert.deepEqual(await gate.whole.admin('session.list', {}), { sessions: [] })
    provider.instead = () => undefined
    assert.equal((await logIn()).status, 200, 'the next login goes well')
  })
}

test('keys that the provider has changed are read again for a signature with one of them, but not at every such signature', async () => {
  assert.ok(isDone(await logInThere()))
  assert.equal(await claimed(), 'answered')
  const readings = (): number => crooked.paths.filter((path) => path === '/jwks').length
  const before = readings()
  crooked.moreKeys = [{ kty: 'of another age', kid: 'odd' }]
  crooked.rotateKey('of this week')
  for (let times = 0; times < 3; times += 1) assert.match((await logInThere()).text, /login\.provider-failed/)
  assert.equal(readings(), before, 'a key that nobody has heard of could be made up')

  mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
  try {
    assert.ok(isDone(await logInThere()))
    assert.equal(readings(), before + 1)
  } finally {
    mock.timers.reset()
  }
  assert.equal(await claimed(), 'answered')
})

for (const { skew, isTaken } of [
  { skew: 20, isTaken: true },
  { skew: 60, isTaken: false },
]) {
  test(`a provider whose clock is ${skew} s behind ${isTaken ? 'is believed' : 'is not'}`, async () => {
    crooked.claims = (claims) => ({ ...claims, iat: Math.floor(Date.now() / 1000) - 300 - skew, exp: Math.floor(Date.now() / 1000) - skew })
    const page = await logInThere()
    crooked.claims = (claims) => claims
    assert.equal(isDone(page), isTaken, page.text)
    if (isTaken) assert.equal(await claimed(), 'answered')
    else assert.match(page.text, /login\.provider-failed/)
  })
}
