import assert from 'node:assert/strict'
import test from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { askAgent, openedSession, people } from '../fixtures/people.ts'

test('a provider whose answer never ends is cut off at its limit, and its words are not kept', async () => {
  await using all = await people({ sessions: { quarantine: '1s' } })
  const { handle } = await openedSession(all)
  all.provider.faultOnce('/token', 'endless')
  const answer = await askAgent(all, ownPaths.sessionRefresh, { handle })
  assert.equal(answer.said, 'answered', 'the probe after it succeeds')
  assert.ok(all.provider.endlessBytes < 16 * 1024 * 1024, `${all.provider.endlessBytes} bytes were taken`)
})
