// An agent of one tenant gets a session at the identity provider of another.
import assert from 'node:assert/strict'
import test from 'node:test'
import { people } from '../fixtures/people.ts'

test('a provider serves the tenants that it is configured for, named or not', async () => {
  await using all = await people({ provider: { tenants: ['acme', 'acme-*'] } })
  for (const tenant of ['acme-eu', 'globex', 'not-acme']) await all.whole.admin('agent.add', { tenant, agent: 'bot', person: 'oscar' })
  for (const [tenant, isServed] of [
    ['acme', true],
    ['acme-eu', true],
    ['globex', false],
    ['not-acme', false],
  ] as const) {
    for (const named of [{}, { provider: 'people' }]) {
      const started = await all.whole.admin('session.start', { tenant, agent: 'bot', person: 'oscar', ...named })
      assert.equal(JSON.stringify(started).includes('"kind":"started"'), isServed, `${tenant}: ${JSON.stringify(started)}`)
    }
  }
})
