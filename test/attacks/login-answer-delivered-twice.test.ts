// RFC 6749 section 4.1.2: a code serves once; a provider may revoke everything when it comes a second time.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('of ten deliveries at once, and one later, one trades the code', async () => {
  await using all = await people()
  const browser = new Browser()
  browser.stopAt = (url) => url.includes('/callback/')
  const { url } = await browser.submit(await browser.open((await startLogin(all)).link))
  browser.stopAt = () => false
  const pages = await Promise.all(Array.from({ length: 10 }, () => browser.open(url)))
  assert.equal(pages.filter(({ status }) => status === 200).length, 1)
  assert.match((await browser.open(url)).text, /login\.link-invalid/)
  assert.equal(all.provider.seen.filter((path) => path === '/token').length, 1)
})

test('of two clicks on a button one counts', async () => {
  await using all = await people()
  const browser = new Browser()
  const first = await browser.open((await startLogin(all)).link)
  const isFinish = (text: string): boolean => text.includes('Let the agent act for you?')
  const finish = await Promise.all([browser.submit(first), browser.submit(first)])
  assert.equal(finish.filter(({ text }) => isFinish(text)).length, 1)
  const last = finish.find(({ text }) => isFinish(text))
  assert.ok(last)
  const done = await Promise.all([1, 2].map(() => browser.submit(last, { name: 'answer', value: 'yes' })))
  assert.equal(done.filter(({ status }) => status === 200).length, 1)
  const { sessions } = (await all.whole.admin('session.list', {})) as { sessions: object[] } // what the act gives
  assert.equal(sessions.length, 1)
})
