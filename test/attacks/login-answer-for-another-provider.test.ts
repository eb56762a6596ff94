import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('the answer of one provider does not count at the address of another (mix-up)', async () => {
  await using all = await people()
  const browser = new Browser()
  browser.stopAt = (url) => url.includes('/callback/')
  const stopped = await browser.submit(await browser.open((await startLogin(all)).link))
  browser.stopAt = () => false
  const before = all.provider.seen.length
  const came = await browser.open(stopped.url.replace('/callback/people', '/callback/others'))
  assert.match(came.text, /login\.refused/)
  assert.equal(all.provider.seen.length, before, 'the code never left')
  assert.deepEqual(await all.whole.admin('session.list', {}), { sessions: [] })
})
