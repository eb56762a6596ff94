import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QuotaConfiguration } from '@sallyport/contract'
import { Bench, callBy, principalOf, type CallParts } from '../fixtures/access-request.ts'

const acme = await principalOf('acme', 'bot')
const acmeOther = await principalOf('acme', 'other')
const globex = await principalOf('globex', 'bot')

function benchWith(per: QuotaConfiguration['per']): Bench {
  return new Bench([{ id: 'all', match: {}, then: 'permit' }], [{ id: 'q', per, requests: 3, window: '1h' }])
}

function exhaust(bench: Bench, parts: CallParts = {}): void {
  for (let used = 0; used < 3; used += 1) assert.equal(bench.ask(callBy(acme, parts)), 'permit')
  for (let flood = 0; flood < 50; flood += 1) assert.equal(bench.ask(callBy(acme, parts)), 'policy.quota-exhausted')
}

test('[T6] a tenant at its quota takes nothing from another', () => {
  const bench = benchWith(['tenant'])
  exhaust(bench)
  assert.equal(bench.ask(callBy(acmeOther)), 'policy.quota-exhausted', 'agents of one tenant share')
  for (let used = 0; used < 3; used += 1) assert.equal(bench.ask(callBy(globex)), 'permit')
  assert.equal(bench.ask(callBy(globex)), 'policy.quota-exhausted')
})

test('[T6] an agent at its quota takes nothing from another, not even from one of the same name in another tenant', () => {
  const bench = benchWith(['tenant', 'agent'])
  exhaust(bench)
  assert.equal(bench.ask(callBy(acmeOther)), 'permit')
  assert.equal(bench.ask(callBy(globex)), 'permit')
})

test('[T6] per agent means per agent of a tenant, also when the quota does not say tenant', () => {
  const bench = benchWith(['agent'])
  exhaust(bench)
  assert.equal(bench.ask(callBy(globex)), 'permit')
})

test('[T6] no quota is shared by tenants, whatever it counts per', () => {
  for (const per of [['upstream'], ['action'], ['upstream', 'action']] as const) {
    const bench = benchWith([...per])
    exhaust(bench)
    assert.equal(bench.ask(callBy(globex)), 'permit')
  }
})

test('[T6] an action at its quota leaves the others', () => {
  const bench = benchWith(['agent', 'action'])
  exhaust(bench)
  assert.equal(bench.ask(callBy(acme, { action: 'list' })), 'permit')
})

test('[T6] an action cannot be named so that it counts as another', () => {
  const bench = benchWith(['agent', 'action'])
  exhaust(bench, { action: 'a' })
  for (const action of ['a\u0000upstream=b', 'a ', 'A', 'action=a']) assert.equal(bench.ask(callBy(acme, { action })), 'permit')
  assert.equal(bench.ask(callBy(acme, { action: 'a' })), 'policy.quota-exhausted')
})

test('[T6] inventing names does not make room: what was used stays used', () => {
  const bench = new Bench([{ id: 'all', match: {}, then: 'permit' }], [{ id: 'q', per: ['agent', 'action'], requests: 1, window: '1h' }])
  assert.equal(bench.ask(callBy(globex)), 'permit')
  assert.equal(bench.ask(callBy(acme)), 'permit')
  for (let invented = 0; invented < 5000; invented += 1) bench.ask(callBy(acme, { action: `tool-${invented}` }))
  assert.equal(bench.ask(callBy(acme)), 'policy.quota-exhausted')
  assert.equal(bench.ask(callBy(globex)), 'policy.quota-exhausted')
  assert.equal(bench.ask(callBy(globex, { action: 'tool-1' })), 'permit', 'the other tenant has room of its own')
})
