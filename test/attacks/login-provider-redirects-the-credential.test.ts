import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('a token endpoint that redirects gets nothing sent onward, and the login fails', async () => {
  const seen: string[] = []
  const thief = createServer((request, response) => {
    seen.push(request.url ?? '')
    response.end()
  }).listen(0, '127.0.0.1')
  await once(thief, 'listening')
  const address = thief.address()
  await using all = await people()
  all.provider.redirectTo = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/steal`
  all.provider.fault('/token', 'redirect')
  const browser = new Browser()
  const came = await browser.submit(await browser.open((await startLogin(all)).link))
  assert.match(came.text, /login\.provider-failed/)
  assert.deepEqual(seen, [])
  thief.close()
  thief.closeAllConnections()
})
