// RFC 8414 section 3.3: metadata that name another issuer, or one that only looks the same, would let it speak for this one.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { CrookedProvider } from '../fixtures/crooked-provider.ts'
import { people, startLogin } from '../fixtures/people.ts'

const crooked = await CrookedProvider.start()
const all = await people({ others: { crooked: crooked.configured } })
after(async () => {
  await all[Symbol.asyncDispose]()
  await crooked[Symbol.asyncDispose]()
})

for (const [what, metadata] of Object.entries({
  'another issuer': { issuer: 'https://evil.example' },
  'the issuer with a slash more': { issuer: `${crooked.issuer}/` },
  'the issuer in capitals': { issuer: crooked.issuer.toUpperCase() },
  'an authorization endpoint that is a script': { authorization_endpoint: 'javascript:alert(1)' },
  'an authorization endpoint that is a page of its own': { authorization_endpoint: 'data:text/html,x' },
  'an authorization endpoint that others can listen to': { authorization_endpoint: 'http://idp.example/authorize' },
  'no S256 among the methods of PKCE (RFC 9700 section 2.1.1)': { code_challenge_methods_supported: ['plain'] },
})) {
  test(`metadata with ${what} are not taken, and no browser is sent anywhere`, async () => {
    crooked.metadata = metadata
    crooked.paths.length = 0
    const browser = new Browser()
    const page = await browser.submit(await browser.open((await startLogin(all, { provider: 'crooked' })).link))
    assert.match(page.text, /login\.provider-failed/)
    assert.ok(crooked.paths.every((path) => path === '/.well-known/openid-configuration'))
  })
}

test('the same metadata without that are taken', async () => {
  crooked.metadata = {}
  const browser = new Browser()
  assert.equal((await browser.submit(await browser.open((await startLogin(all, { provider: 'crooked' })).link))).status, 200)
})
