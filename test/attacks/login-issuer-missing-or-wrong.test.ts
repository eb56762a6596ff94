import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

for (const { name, change } of [
  { name: 'names no issuer', change: (url: URL) => url.searchParams.delete('iss') },
  { name: 'names another issuer', change: (url: URL) => url.searchParams.set('iss', 'https://evil.example') },
  { name: 'names two', change: (url: URL) => url.searchParams.append('iss', 'https://evil.example') },
  { name: 'comes twice over', change: (url: URL) => url.searchParams.append('code', 'other') },
]) {
  test(`an answer of a provider that announces its issuer and ${name} is refused (RFC 9207)`, async () => {
    await using all = await people()
    const browser = new Browser()
    browser.stopAt = (url) => url.includes('/callback/')
    const stopped = new URL((await browser.submit(await browser.open((await startLogin(all)).link))).url)
    change(stopped)
    browser.stopAt = () => false
    const before = all.provider.seen.length
    assert.match((await browser.open(stopped.href)).text, /login\.(?:refused|provider-failed)/)
    assert.equal(all.provider.seen.length, before, 'the code never left')
  })
}
