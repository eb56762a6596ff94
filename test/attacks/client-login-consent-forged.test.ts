import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser, yes } from '../fixtures/browser.ts'
import { clientLoginGate, redirectUri } from '../fixtures/client-login.ts'

test('no page, and no other browser, gives a person’s consent for them: it takes the form that was shown, in the browser that it was shown in', async () => {
  await using gate = await clientLoginGate()
  const person = new Browser()
  person.stopAt = (url) => url.startsWith(redirectUri)
  const finish = await person.submit(await person.open((await gate.ask()).location))
  const action = new URL(/<form method="post" action="([^"]+)"/.exec(finish.text)?.[1] ?? '', finish.url).href
  // What a page of somebody else can send from the person's own browser: everything but the form's secret.
  for (const form of ['', 'x'.repeat(43)]) {
    const forged = await person.open(action, new URLSearchParams({ form, answer: 'yes' }))
    assert.deepEqual([forged.status, forged.url], [403, action])
  }
  const stranger = new Browser()
  stranger.stopAt = person.stopAt
  assert.equal((await stranger.submit(finish, yes)).status, 403)
  const came = new URL((await person.submit(finish, yes)).url)
  assert.ok(came.searchParams.has('code'))
})

test('the pages cannot be framed, and tell the program’s address nothing of where the browser came from', async () => {
  await using gate = await clientLoginGate()
  const { headers } = await fetch((await gate.ask()).location)
  assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
  assert.equal(headers.get('x-frame-options'), 'DENY')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
})
