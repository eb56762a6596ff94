import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

for (const { name, claims } of [
  { name: 'by the name that it gave itself', claims: { name: 'ben@example.com' } },
  { name: 'by its user name', claims: { preferred_username: 'ben@example.com' } },
  { name: 'by an address that nobody verified', claims: { email: 'ben@example.com', email_verified: false } },
  { name: 'by an address of which the provider says nothing', claims: { email: 'ben@example.com' } },
]) {
  test(`an account that calls itself like the one that was asked for, ${name}, does not complete its login`, async () => {
    await using all = await people({ provider: { scopes: ['openid', 'offline_access', 'email', 'profile'] } })
    all.provider.claims = claims
    const browser = new Browser()
    const { link } = await startLogin(all, { expected: 'ben@example.com' })
    assert.match((await browser.submit(await browser.open(link))).text, /Another account logged in/)
    assert.ok(all.provider.seen.includes('/token/revocation'), 'its token goes back')
  })
}

test('the verified address of the account completes it', async () => {
  await using all = await people({ provider: { scopes: ['openid', 'offline_access', 'email'] } })
  all.provider.claims = { email: 'ann@example.com', email_verified: true }
  const browser = new Browser()
  const { link } = await startLogin(all, { expected: 'ann@example.com' })
  assert.match((await browser.submit(await browser.open(link))).text, /logged in as/)
})
