// Session fixation: the attacker plants the cookie under which the victim will log in, as any program of the same host can.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('each page of a link makes the secret of its browser anew, so one that was planted never counts', async () => {
  await using all = await people()
  const { link } = await startLogin(all)
  const [attacker, victim] = [new Browser(), new Browser()]
  await attacker.open(link)
  victim.takeCookiesOf(attacker)
  victim.stopAt = (url) => url.includes('/callback/')
  const { url } = await victim.submit(await victim.open(link))
  victim.stopAt = () => false
  assert.match((await attacker.open(url)).text, /login\.other-browser/)
  assert.equal((await victim.open(url)).status, 200)
})

test('two logins in one browser go on beside each other', async () => {
  await using all = await people()
  const browser = new Browser()
  const pages = [await browser.open((await startLogin(all)).link), await browser.open((await startLogin(all)).link)]
  for (const page of pages) assert.match((await browser.submit(page)).text, /You are logged in as/)
})
