// RFC 9700 section 4.4: a hostile provider has the honest one answer in its place, to be handed the honest one's code.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
import { CrookedProvider } from '../fixtures/crooked-provider.ts'
import { people, startLogin } from '../fixtures/people.ts'

test('a code of the honest provider, brought to a login at the hostile one, is passed on to nobody', async () => {
  await using hostile = await CrookedProvider.start()
  await using all = await people({ others: { hostile: hostile.configured } })
  const victim = new Browser()
  victim.stopAt = (url) => url.includes('/callback/')
  const honest = new URL((await victim.submit(await victim.open((await startLogin(all, { provider: 'people' })).link))).url)
  for (const [callback, issuer] of [
    ['hostile', all.provider.issuer],
    ['people', all.provider.issuer],
    ['people', hostile.issuer],
  ] as const) {
    // The hostile one passes the browser on to the honest one, with the state of the login that began at itself.
    victim.stopAt = (url) => url.includes('/callback/')
    const answer = new URL((await victim.submit(await victim.open((await startLogin(all, { provider: 'hostile' })).link))).url)
    answer.pathname = `/callback/${callback}`
    answer.searchParams.set('code', honest.searchParams.get('code') ?? '')
    answer.searchParams.set('iss', issuer)
    victim.stopAt = () => false
    const before = all.provider.seen.length
    assert.match((await victim.open(answer.href)).text, /login\.(?:refused|provider-failed)/)
    assert.equal(all.provider.seen.length, before)
  }
  assert.deepEqual(hostile.tokenRequests, [], 'the honest code never left')
  assert.deepEqual(await all.whole.admin('session.list', {}), { sessions: [] })
})

test('a refresh token is shown to the provider that gave it and to no other, whatever the configuration says later', async () => {
  await using hostile = await CrookedProvider.start()
  await using all = await people({ others: { hostile: hostile.configured } })
  const browser = new Browser()
  await browser.submit(await browser.submit(await browser.open((await startLogin(all, { provider: 'people' })).link)), { name: 'answer', value: 'yes' })
  const { sessions } = (await all.whole.admin('session.list', {})) as { sessions: { id: string }[] } // what the act gives
  await all.whole.admin('session.revoke', { session: sessions[0]?.id, person: 'oscar' })
  while (!all.provider.seen.includes('/token/revocation')) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(hostile.revoked, [])
  assert.deepEqual(hostile.tokenRequests, [])
})
