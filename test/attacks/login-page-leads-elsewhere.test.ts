import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('no parameter makes the login pages lead anywhere but to the provider (open redirect)', async () => {
  await using all = await people()
  const browser = new Browser()
  browser.stopAt = () => true
  const { link } = await startLogin(all)
  const evil = '?next=https://evil.example&redirect_uri=https://evil.example&return_to=//evil.example'
  const page = await browser.open(`${link}${evil}`)
  assert.ok(!page.text.includes('evil.example'))
  const sent = await browser.submit(page)
  const url = new URL(sent.url)
  assert.equal(url.origin, all.provider.issuer)
  assert.match(url.searchParams.get('redirect_uri') ?? '', /^http:\/\/127\.0\.0\.1:[0-9]+\/callback\/people$/)
  assert.equal(url.searchParams.get('code_challenge_method'), 'S256')
  const { origin } = new URL(link)
  for (const path of ['//evil.example', '/login/https://evil.example', '/callback/people?state=x&code=y'])
    assert.equal((await browser.open(`${origin}${path}`)).status, 404)
})
