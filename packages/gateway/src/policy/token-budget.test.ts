import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LogEvent, OutcomeEvent, QuotaConfiguration } from '@sallyport/contract'
import { Bench, callBy, modelCallBy, principalOf } from '../../../../test/fixtures/access-request.ts'
import { decisionEntry, entryTime } from '../audit/entries.ts'
import { questionOf } from './question.ts'
import { QuotaCounters } from './quota-counters.ts'
import { compileQuota, type Quota } from './quota.ts'
import { replay } from './state.ts'
import { settledUse } from './token-use.ts'

const subject = { tenant: 'acme', agent: 'bot', upstream: 'openai', action: 'messages' }
const agents = [await principalOf('acme', 'bot'), await principalOf('acme', 'other'), await principalOf('globex', 'bot')]
const price = { input: 2, output: 8, cachedInput: 1 }

function quotaOf(configuration: Partial<QuotaConfiguration>): Quota {
  const compiled = compileQuota({ id: 'q', per: ['tenant'], window: '1h', ...configuration })
  if (compiled.kind === 'invalid') throw new TypeError(compiled.message)
  return compiled.quota
}

const tokens = (amount: number): { requests: number; tokens: number; cost: number } => ({ requests: 1, tokens: amount, cost: 0 })

test('a reserve counts in full for as long as it is held, and then only what was used', () => {
  const quota = quotaOf({ tokens: 1000, window: '1000ms' })
  const counters = new QuotaCounters()
  assert.deepEqual(counters.charge([quota], subject, tokens(1000), 'a', 0), { kind: 'charged', quotas: ['q'], isReserved: true })
  assert.equal(counters.charge([quota], subject, tokens(1), 'b', 100_000).kind, 'exhausted', 'it does not drain')
  counters.settle('a', { tokens: 400, cost: undefined }, 100_000)
  assert.equal(counters.charge([quota], subject, tokens(601), 'c', 100_000).kind, 'exhausted')
  assert.equal(counters.charge([quota], subject, tokens(600), 'd', 100_000).kind, 'charged')
  counters.settle('d', { tokens: undefined, cost: undefined }, 100_000)
  const refused = counters.charge([quota], subject, tokens(1), 'e', 100_000)
  assert.ok(refused.kind === 'exhausted' && refused.retryAfterMs === 1)
  assert.equal(counters.charge([quota], subject, tokens(1), 'f', 100_001).kind, 'charged')
  counters.settle('a', { tokens: 400, cost: 0 }, 100_001)
  assert.equal(counters.reservations, 1, 'a reserve is settled once')
})

test('what is not bounded, not priced or never fits is refused for good, and a call without tokens is not counted', () => {
  const counters = new QuotaCounters()
  const both = quotaOf({ tokens: 1000, cost: 1 })
  for (const use of [
    { requests: 1, tokens: undefined, cost: undefined },
    { requests: 1, tokens: 10, cost: undefined },
    { requests: 1, tokens: 1001, cost: 0 },
    { requests: 1, tokens: 1, cost: 1_000_001 },
  ]) {
    const refused = counters.charge([both], subject, use, 'a', 0)
    assert.ok(refused.kind === 'exhausted' && refused.retryAfterMs === undefined && refused.detail !== undefined)
  }
  assert.deepEqual(counters.charge([both], subject, tokens(0), 'a', 0), { kind: 'charged', quotas: [], isReserved: false })
  assert.deepEqual([counters.size, counters.reservations], [0, 0])
})

test('all limits of a quota are charged, or none', () => {
  const quota = quotaOf({ requests: 5, tokens: 100, cost: 0.001 })
  const counters = new QuotaCounters()
  for (let again = 0; again < 9; again += 1) assert.equal(counters.charge([quota], subject, { requests: 1, tokens: 10, cost: 1001 }, 'a', 0).kind, 'exhausted')
  for (let used = 0; used < 5; used += 1) assert.equal(counters.charge([quota], subject, { requests: 1, tokens: 10, cost: 100 }, `b${used}`, 0).kind, 'charged')
  assert.equal(counters.charge([quota], subject, { requests: 1, tokens: 10, cost: 100 }, 'c', 0).kind, 'exhausted')
})

test('a quota says what is wrong with it', () => {
  const faulty = (configuration: Partial<QuotaConfiguration>): unknown => {
    const compiled = compileQuota({ id: 'q', per: ['tenant'], window: '1h', ...configuration })
    return compiled.kind === 'invalid' && compiled.field
  }
  assert.equal(faulty({}), 'requests')
  assert.equal(faulty({ tokens: 5, burst: 5 }), 'burst')
  assert.equal(faulty({ tokens: 999_999_937, window: '365d' }), 'tokens')
  assert.equal(faulty({ cost: 999_999_937, window: '365d' }), 'cost')
  assert.equal(faulty({ tokens: 2_000_000, cost: 50 }), false)
})

const act = fc.oneof(
  fc.record({ kind: fc.constant('call' as const), most: fc.integer({ min: 1, max: 400 }), waitMs: fc.integer({ min: -50, max: 300 }) }),
  fc.record({ kind: fc.constant('settle' as const), which: fc.nat(), share: fc.constantFrom(0, 0.5, 1, undefined), waitMs: fc.integer({ min: 0, max: 900 }) }),
)

test('what is used, and what may still be, is never more than the budget and what drained, whatever comes when', () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 1, maxLength: 120 }), (acts) => {
      const quota = quotaOf({ tokens: 1000, window: '1s' })
      const counters = new QuotaCounters()
      const held = new Map<string, number>()
      let [nowMs, latestMs, used, next] = [1_700_000_000_000, 0, 0, 0]
      const startMs = nowMs
      for (const one of acts) {
        nowMs += one.waitMs
        latestMs = Math.max(latestMs, nowMs, startMs)
        if (one.kind === 'call') {
          const id = `r${(next += 1)}`
          if (counters.charge([quota], subject, tokens(one.most), id, nowMs).kind === 'charged') held.set(id, one.most)
        } else {
          const [id, most] = [...held][one.which % Math.max(1, held.size)] ?? []
          if (id === undefined || most === undefined) continue
          const amount = one.share === undefined ? undefined : Math.floor(most * one.share)
          counters.settle(id, { tokens: amount, cost: undefined }, nowMs)
          held.delete(id)
          used += amount ?? most
        }
        const mayBe = [...held.values()].reduce((sum, most) => sum + most, 0)
        assert.ok(used + mayBe <= 1000 + (latestMs - startMs))
      }
    }),
  )
})

const modelCall = fc.record({
  kind: fc.constant('call' as const),
  waitMs: fc.integer({ min: -100, max: 400 }),
  agent: fc.constantFrom(0, 0, 1, 2),
  input: fc.integer({ min: 0, max: 300 }),
  output: fc.constantFrom(0, 50, 200, undefined),
  isPriced: fc.constantFrom(true, true, true, false),
  upstream: fc.constantFrom('payments', 'payments', 'crm'),
})
const outcome = fc.record({
  kind: fc.constant('outcome' as const),
  waitMs: fc.integer({ min: 0, max: 900 }),
  which: fc.nat(),
  end: fc.constantFrom('unsent' as const, 'unknown' as const, 'told' as const, 'told' as const, 'unpriced' as const),
  used: fc.integer({ min: 0, max: 700 }),
})
const plain = fc.record({ kind: fc.constant('plain' as const), waitMs: fc.integer({ min: 0, max: 300 }) })
const restart = fc.record({ kind: fc.constant('restart' as const), waitMs: fc.integer({ min: 0, max: 300 }) })
const acts = fc.array(
  fc.oneof({ weight: 6, arbitrary: modelCall }, { weight: 5, arbitrary: outcome }, { weight: 1, arbitrary: plain }, { weight: 1, arbitrary: restart }),
  { maxLength: 60, size: 'max' },
)
type Act = typeof acts extends fc.Arbitrary<(infer Item)[]> ? Item : never

const makeBench = (): Bench =>
  new Bench(
    [{ id: 'all', match: {}, then: 'permit' }],
    [
      { id: 'tenant', per: ['tenant'], tokens: 2000, requests: 40, window: '2s' },
      { id: 'agent', match: { upstream: 'payments' }, per: ['agent'], tokens: 900, cost: 0.004, window: '3s' },
    ],
  )

/** `open`: permitted calls that wait for their outcome. */
function run(bench: Bench, given: readonly Act[], open: string[], name: string): { events: LogEvent[]; seen: unknown[] } {
  const events: LogEvent[] = []
  const seen: unknown[] = []
  for (const [index, one] of given.entries()) {
    bench.nowMs += one.waitMs
    const time = entryTime(bench.nowMs)
    if (one.kind === 'restart') {
      bench.state.quotas.settleAll(bench.nowMs)
      open.length = 0
      events.push({ v: 1, type: 'gateway', act: 'started', version: '0', revision: 'r', time })
    } else if (one.kind === 'outcome') {
      const [request] = open.splice(one.which % Math.max(1, open.length), 1)
      if (request === undefined) continue
      const usage = { inputTokens: one.used, outputTokens: 3, ...(one.end === 'told' && { cost: (one.used * 2 + 24) / 1_000_000 }) }
      const event: OutcomeEvent = {
        v: 1,
        type: 'outcome',
        time,
        request,
        decision: 0,
        result: 'answered',
        ...(one.end === 'unsent' && { sent: false }),
        ...((one.end === 'told' || one.end === 'unpriced') && { usage }),
      }
      bench.state.quotas.settle(request, settledUse(event), bench.nowMs)
      events.push(event)
    } else {
      const id = `${name}-${index}`
      const caller = agents[one.kind === 'plain' ? 0 : one.agent] ?? assert.fail()
      const request =
        one.kind === 'plain'
          ? { ...callBy(caller, { upstream: 'payments' }), id }
          : modelCallBy(caller, id, { inputTokens: one.input, outputTokens: one.output, price: one.isPriced ? price : undefined }, one.upstream)
      const decision = bench.decide(request)
      const event = decisionEntry(questionOf(request), decision, bench.digest(request), 'revision', bench.nowMs)
      if (decision.kind === 'permit') open.push(id)
      events.push(event)
      seen.push([event.decision, event.code, event.quotas, event.reserved, decision.kind === 'deny' && decision.problem.retryAfterSeconds])
    }
  }
  return { events, seen }
}

test('budgets replayed from the log are those of the live gateway, open reserves and restarts included [T6]', () => {
  fc.assert(
    fc.property(acts, acts, (before, after) => {
      const live = makeBench()
      const open: string[] = []
      const { events } = run(live, before, open, 'before')
      const restarted = makeBench()
      for (const event of events) replay(restarted.state, event, restarted.policy)
      restarted.nowMs = live.nowMs
      assert.equal(restarted.state.quotas.reservations, live.state.quotas.reservations)
      assert.deepEqual(run(restarted, after, [...open], 'after').seen, run(live, after, open, 'after').seen)
    }),
    { numRuns: 200 },
  )
})
