import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTrustDomain } from '@sallyport/contract'
import { LiveRoster } from './live-roster.ts'

test('what was seen counts until its end, not before it was seen, and not in doubt; where nobody else changes anything, for ever', () => {
  const domain = parseTrustDomain('test.example')
  assert.ok(domain)
  const roster = new LiveRoster(domain, [], { agents: [], revokedCertificates: [], blocks: [] })
  assert.ok(roster.isCurrent(0) && roster.isCurrent(Number.MAX_SAFE_INTEGER))
  roster.apply({ kind: 'current', fromMs: 1000, untilMs: 3000 })
  assert.deepEqual(
    [999, 1000, 3000, 3001].map((ms) => roster.isCurrent(ms)),
    [false, true, true, false],
  )
  const copy = new LiveRoster(domain, [], { agents: [], revokedCertificates: [], blocks: [] })
  for (const change of roster.changes()) copy.apply(change)
  assert.deepEqual([copy.isCurrent(3000), copy.isCurrent(3001)], [true, false])
  roster.apply({ kind: 'doubted' })
  assert.equal(roster.isCurrent(2000), false)
})
