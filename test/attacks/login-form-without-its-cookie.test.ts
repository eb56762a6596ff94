import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('a form that was shown to one browser does nothing from another, nor without its token', async () => {
  await using all = await people()
  const { link } = await startLogin(all)
  const page = await new Browser().open(link)
  const other = new Browser()
  await other.open(link)
  assert.match((await other.submit(page)).text, /login\.other-browser/)
  assert.match((await new Browser().submit(page)).text, /login\.other-browser/)
  assert.match((await other.open(link, new URLSearchParams({ form: '' }))).text, /login\.other-browser/)
  assert.equal(all.provider.seen.filter((path) => path === '/auth').length, 0)
})
