import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchErasure } from './erasure.ts'
import { agentMark, tenantMark, type StoredPayload } from './payload-files.ts'

const of = (tenant: string, agent: string, capturedAt: number): StoredPayload => ({
  digest: `${tenant}/${agent}/${capturedAt}`,
  capturedAt,
  bytes: 1,
  tenant: tenantMark(tenant),
  agent: agentMark(tenant, agent),
})
const stored = [of('acme', 'bot', 9), of('acme', 'bot', 10), of('acme', 'other', 9), of('globex', 'bot', 9)]

test('an erasure reaches what is older than its time, of its agent, of its tenant, or at all', () => {
  const reached = (erasure: object): readonly string[] => stored.filter(matchErasure({ kind: 'many', before: 10, ...erasure })).map(({ digest }) => digest)
  assert.deepEqual(reached({ tenant: 'acme', agent: 'bot' }), ['acme/bot/9'])
  assert.deepEqual(reached({ tenant: 'acme', agent: 'bot', before: 11 }), ['acme/bot/9', 'acme/bot/10'])
  assert.deepEqual(reached({ tenant: 'acme' }), ['acme/bot/9', 'acme/other/9'])
  assert.deepEqual(reached({}), ['acme/bot/9', 'acme/other/9', 'globex/bot/9'])
  assert.deepEqual(reached({ before: 0 }), [])
})
