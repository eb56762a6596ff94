import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { QuotaConfiguration } from '@sallyport/contract'
import { countersPerAgentMax, QuotaCounters } from './quota-counters.ts'
import { compileQuota, type Quota } from './quota.ts'

const subject = { tenant: 'acme', agent: 'bot', upstream: 'crm', action: 'read' }
const one = { requests: 1, tokens: 0, cost: 0 }

function quotaOf(configuration: Omit<QuotaConfiguration, 'id' | 'per'> & Partial<QuotaConfiguration>): Quota {
  const compiled = compileQuota({ id: 'q', per: ['tenant'], ...configuration })
  if (compiled.kind === 'invalid') throw new TypeError(compiled.message)
  return compiled.quota
}

test('a quota agrees with a simulation on exact fractions, for any calls and clock', () => {
  const numbers = fc.record({ requests: fc.integer({ min: 1, max: 50 }), windowMs: fc.integer({ min: 1, max: 5000 }), burst: fc.integer({ min: 1, max: 60 }) })
  const steps = fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 120 })
  fc.assert(
    fc.property(numbers, steps, ({ requests, windowMs, burst }, waits) => {
      const quota = quotaOf({ requests, window: `${windowMs}ms`, burst })
      const counters = new QuotaCounters()
      let nowMs = 1_700_000_000_000
      // The virtual-scheduling form of GCRA in units of 1/requests milliseconds, on bigints: another formula for the same promise.
      let arrival = 0n
      const increment = BigInt(windowMs)
      for (const waitMs of waits) {
        nowMs += waitMs
        const now = BigInt(nowMs) * BigInt(requests)
        const conforms = arrival - increment * BigInt(burst - 1) <= now
        const charge = counters.charge([quota], subject, one, 'request', nowMs)
        assert.equal(charge.kind === 'charged', conforms)
        if (conforms) arrival = (arrival > now ? arrival : now) + increment
        else if (charge.kind === 'exhausted') {
          const wait = arrival - increment * BigInt(burst - 1) - now
          assert.equal(BigInt(charge.retryAfterMs ?? 0), (wait + BigInt(requests) - 1n) / BigInt(requests))
        }
      }
    }),
  )
})

test('never more than burst plus the rate in any stretch of time, whatever the clock does', () => {
  const steps = fc.array(fc.integer({ min: -2000, max: 900 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(steps, (waits) => {
      const quota = quotaOf({ requests: 3, window: '1s', burst: 4 })
      const counters = new QuotaCounters()
      let nowMs = 1_700_000_000_000
      let startMs: number | undefined
      let latestMs = 0
      let permitted = 0
      for (const waitMs of waits) {
        nowMs += waitMs
        startMs ??= nowMs
        latestMs = Math.max(latestMs, nowMs)
        if (counters.charge([quota], subject, one, 'request', nowMs).kind === 'charged') permitted += 1
        assert.ok(permitted <= 4 + ((latestMs - startMs) * 3) / 1000)
      }
    }),
  )
})

test('waiting as long as told is enough, and a millisecond less is not', () => {
  const quota = quotaOf({ requests: 7, window: '1s' })
  const counters = new QuotaCounters()
  for (let used = 0; used < 7; used += 1) assert.equal(counters.charge([quota], subject, one, 'request', 5000).kind, 'charged')
  const refused = counters.charge([quota], subject, one, 'request', 5000)
  assert.equal(refused.kind, 'exhausted')
  if (refused.kind !== 'exhausted') return
  assert.equal(refused.retryAfterMs, 143)
  assert.equal(counters.charge([quota], subject, one, 'request', 5142).kind, 'exhausted')
  assert.equal(counters.charge([quota], subject, one, 'request', 5143).kind, 'charged')
})

test('all of several quotas are charged, or none', () => {
  const wide = quotaOf({ id: 'wide', requests: 2, window: '1h' })
  const narrow = quotaOf({ id: 'narrow', requests: 1, window: '1h', per: ['agent'] })
  const counters = new QuotaCounters()
  assert.deepEqual(counters.charge([wide, narrow], subject, one, 'request', 0), { kind: 'charged', quotas: ['wide', 'narrow'], isReserved: false })
  for (let again = 0; again < 5; again += 1) assert.equal(counters.charge([wide, narrow], subject, one, 'request', 0).kind, 'exhausted')
  assert.equal(counters.charge([wide], subject, one, 'request', 0).kind, 'charged', 'the refused calls used nothing of the wide quota')
  assert.equal(counters.charge([wide], subject, one, 'request', 0).kind, 'exhausted')
})

test('one agent cannot open counters without end, and cannot close those of others', () => {
  const quota = quotaOf({ requests: 1, window: '1h', per: ['agent', 'action'] })
  const counters = new QuotaCounters()
  const victim = { ...subject, agent: 'victim' }
  assert.equal(counters.charge([quota], victim, one, 'request', 0).kind, 'charged')
  for (let made = 0; made < countersPerAgentMax; made += 1)
    assert.equal(counters.charge([quota], { ...subject, action: `tool-${made}` }, one, 'request', 1).kind, 'charged')
  const refused = counters.charge([quota], { ...subject, action: 'one more' }, one, 'request', 1)
  assert.equal(refused.kind, 'exhausted')
  assert.equal(refused.kind === 'exhausted' && refused.retryAfterMs, 3_600_000)
  assert.equal(counters.size, countersPerAgentMax + 1)
  assert.equal(counters.charge([quota], victim, one, 'request', 1).kind, 'exhausted', 'what the victim used is not forgotten')
  assert.equal(counters.charge([quota], { ...victim, action: 'another' }, one, 'request', 1).kind, 'charged')
  assert.equal(counters.charge([quota], { ...subject, action: 'one more' }, one, 'request', 3_600_001).kind, 'charged', 'counters that ran out make room')
  assert.ok(counters.size < 5)
})

test('numbers that cannot be counted exactly are refused', () => {
  assert.equal(compileQuota({ id: 'q', per: ['tenant'], requests: 999_999_937, window: '365d' }).kind, 'invalid')
  assert.equal(compileQuota({ id: 'q', per: ['tenant'], requests: 1_000_000_000, window: '1h' }).kind, 'compiled')
})
