import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('a code that the provider gave to another login is worth nothing in this one (code injection)', async () => {
  await using all = await people()
  const [one, other] = [new Browser(), new Browser()]
  for (const browser of [one, other]) browser.stopAt = (url) => url.includes('/callback/')
  const [mine, stolen] = await Promise.all([one, other].map(async (browser) => browser.submit(await browser.open((await startLogin(all)).link))))
  assert.ok(mine && stolen)
  const mixed = new URL(mine.url)
  mixed.searchParams.set('code', new URL(stolen.url).searchParams.get('code') ?? '')
  one.stopAt = () => false
  const came = await one.open(mixed.href)
  assert.match(came.text, /login\.refused/)
  assert.match((await one.open(mine.url)).text, /login\.link-invalid/, 'an answer counts once')
  assert.deepEqual(await all.whole.admin('session.list', {}), { sessions: [] })
})
