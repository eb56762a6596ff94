import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, agentIdentity, parseAgentName, parseTenantName, parseTrustDomain, refused } from '@sallyport/contract'
import type { HeldIdentity } from '../enrolment/index.ts'
import type { Clock } from './clock.ts'
import type { IdentitySource } from './identity-source.ts'
import { keepRenewed, renewalLimits } from './renewal.ts'

const hourMs = 3_600_000

/** Time that only moves when a test says so. */
class HandClock implements Clock {
  #now = 0
  #waiting: { readonly atMs: number; readonly act: () => void } | undefined

  now(): number {
    return this.#now
  }

  after(delayMs: number, act: () => void): () => void {
    const waiting = { atMs: this.#now + delayMs, act }
    this.#waiting = waiting
    return () => {
      if (this.#waiting === waiting) this.#waiting = undefined
    }
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** Moves to `toMs`, acting on the way, and lets what was begun come to an end. */
  async moveTo(toMs: number): Promise<void> {
    while (this.#waiting && this.#waiting.atMs <= toMs) {
      const { atMs, act } = this.#waiting
      this.#waiting = undefined
      this.#now = atMs
      act()
      await new Promise(setImmediate)
    }
    this.#now = toMs
  }
}

function held(fromMs: number, toMs: number): HeldIdentity {
  const [domain, tenant, agent] = [parseTrustDomain('test.example'), parseTenantName('acme'), parseAgentName('bot')]
  assert.ok(domain && tenant && agent)
  const identity = agentIdentity(domain, tenant, agent)
  return { identity, gateway: { host: 'localhost', port: 1 }, keyPem: '', certificatePem: `${toMs}`, bundlePem: '', notBeforeMs: fromMs, notAfterMs: toMs }
}

interface Stand {
  readonly clock: HandClock
  readonly adopted: number[]
  readonly failures: unknown[]
  readonly asked: number[]
  stored: HeldIdentity
  answer: () => ReturnType<IdentitySource['renew']>
}

function stand(): Stand & { readonly renewal: ReturnType<typeof keepRenewed> } {
  const clock = new HandClock()
  const start = held(0, 3 * hourMs)
  const state: Stand = {
    clock,
    adopted: [],
    failures: [],
    asked: [],
    stored: start,
    answer: async () => {
      state.stored = held(clock.now(), clock.now() + 3 * hourMs)
      return { kind: 'renewed', held: state.stored }
    },
  }
  const source: IdentitySource = {
    load: async () => state.stored,
    renew: () => {
      state.asked.push(clock.now())
      return state.answer()
    },
  }
  const renewal = keepRenewed(
    source,
    start,
    clock,
    async ({ notAfterMs }) => void state.adopted.push(notAfterMs),
    (failure) => state.failures.push(failure),
  )
  return Object.assign(state, { renewal })
}

test('renews at two thirds of each life, not before', async () => {
  const { clock, asked, adopted } = stand()
  await clock.moveTo(2 * hourMs - 1)
  assert.deepEqual(asked, [])
  await clock.moveTo(2 * hourMs)
  assert.deepEqual(asked, [2 * hourMs])
  assert.deepEqual(adopted, [5 * hourMs])
  await clock.moveTo(4 * hourMs)
  assert.deepEqual(asked, [2 * hourMs, 4 * hourMs])
})

test('takes over what another process has renewed, without asking', async () => {
  const state = stand()
  state.stored = held(hourMs, 4 * hourMs)
  await state.clock.moveTo(2 * hourMs)
  assert.deepEqual(state.asked, [])
  assert.deepEqual(state.adopted, [4 * hourMs])
})

test('after a failure or a refusal tries again, less and less often, and reports each', async () => {
  const state = stand()
  let isFault = false
  state.answer = () => {
    isFault = !isFault
    return isFault ? Promise.reject(new Fault('away', 'not-done')) : Promise.resolve(refused('identity.renewal-refused'))
  }
  await state.clock.moveTo(2 * hourMs + 7 * renewalLimits.firstRetryMs)
  const delays = state.asked.map((at) => at - 2 * hourMs)
  assert.deepEqual(
    delays,
    [0, 1, 3, 7].map((times) => times * renewalLimits.firstRetryMs),
  )
  assert.equal(state.failures.length, 4)
  assert.deepEqual(state.adopted, [])

  await state.clock.moveTo(5 * hourMs)
  const gaps = state.asked.slice(1).map((at, index) => at - (state.asked[index] ?? 0))
  assert.ok(gaps.every((gap) => gap <= renewalLimits.retryMsMax))
})

test('shares one exchange between all who ask at once, and ends when it is stopped', async () => {
  const { renewal, asked, adopted, clock } = stand()
  await Promise.all([renewal.now(), renewal.now(), renewal.now()])
  assert.deepEqual(asked, [0])
  assert.deepEqual(adopted, [3 * hourMs])
  renewal.stop()
  assert.equal(clock.isWaiting, false)
})
