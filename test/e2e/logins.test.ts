import assert from 'node:assert/strict'
import test from 'node:test'
import { logIn, people, startLogin } from '../fixtures/people.ts'
import { Browser, no } from '../fixtures/browser.ts'

test('debug', async () => {
  await using all = await people()
  const done = await logIn(all)
  console.log(done.status, done.text)
  console.log(await all.whole.admin('session.list', {}))
  console.log(all.whole.faults)
})
