import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('an attacker’s answer of the provider, opened in the victim’s browser, is not taken and uses nothing up', async () => {
  await using all = await people()
  const attacker = new Browser()
  const { link } = await startLogin(all)
  attacker.stopAt = (url) => url.includes('/callback/')
  const stopped = await attacker.submit(await attacker.open(link))
  const victim = new Browser()
  await victim.open((await startLogin(all)).link)
  const came = await victim.open(stopped.url)
  assert.equal(came.status, 403)
  assert.match(came.text, /login\.other-browser/)
  attacker.stopAt = () => false
  assert.equal((await attacker.open(stopped.url)).status, 200, 'its own login goes on')
  assert.deepEqual(await all.whole.admin('session.list', {}), { sessions: [] })
})
