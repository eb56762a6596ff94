import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('what operators and providers write is text on the login pages, and the pages run, load and frame nothing', async () => {
  await using all = await people()
  all.provider.account = '<img src=x onerror=alert(1)>'
  const browser = new Browser()
  const { link } = await startLogin(all, { person: '"><script>alert(1)</script>' })
  const first = await browser.open(link)
  const last = await browser.submit(first)
  for (const page of [first, last]) {
    assert.equal(page.status, 200)
    assert.ok(!/<script|<img/i.test(page.text))
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
    assert.equal(page.headers.get('x-frame-options'), 'DENY')
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(page.headers.get('cache-control'), 'no-store')
  }
})
