// RFC 8628 section 5.4: somebody is talked into typing a code, and logs in for an agent that they never saw.
import assert from 'node:assert/strict'
import test from 'node:test'
import { people } from '../fixtures/people.ts'

test('no code is asked for at a provider whose entry does not allow it', async () => {
  await using all = await people()
  const started = await all.whole.admin('session.start', { tenant: 'acme', agent: 'bot', person: 'oscar', device: true })
  assert.match(JSON.stringify(started), /control\.conflict.*device flow is off/)
  assert.deepEqual(all.provider.seen, [])
})
