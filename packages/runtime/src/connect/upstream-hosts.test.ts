import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Upstream } from './upstream-hosts.ts'
import { upstreamHosts } from './upstream-hosts.ts'

const crm: Upstream = { name: 'crm', protocol: 'http', hosts: ['crm.internal', 'crm.internal:8443', 'payments'] }
const payments: Upstream = { name: 'payments', protocol: 'http', hosts: ['crm.internal', 'pay.internal:443'] }

function stand(upstreams: Upstream[]) {
  let nowMs = 0
  let asked = 0
  const count = (): Upstream[] => {
    asked += 1
    return upstreams.slice()
  }
  const hosts = upstreamHosts({ catalog: async () => ({ kind: 'catalog', catalog: { upstreams: count() } }) }, { now: () => nowMs })
  const find = async (authority: string): Promise<string> => {
    const found = await hosts.find(authority)
    return found.kind === 'found' ? found.upstream.name : found.kind
  }
  return { hosts, find, pass: (ms: number) => (nowMs += ms), asked: () => asked }
}

test('an upstream answers to its name and hosts; no other can take its name or an earlier host', async () => {
  const { find } = stand([crm, payments])
  const expected = {
    crm: 'crm',
    'crm:80': 'crm',
    'crm.internal': 'crm',
    'crm.internal:443': 'crm',
    'crm.internal:8443': 'crm',
    'crm.internal:8444': 'unknown',
    payments: 'payments',
    'pay.internal': 'payments',
    'xcrm.internal': 'unknown',
    'crm.internal.': 'unknown',
    constructor: 'unknown',
  }
  for (const [authority, name] of Object.entries(expected)) assert.equal(await find(authority), name, authority)
})

test('asks once for many, again for an unknown name after a moment, and for all after a while', async () => {
  const upstreams: Upstream[] = [{ ...crm, hosts: [] }]
  const { find, pass, asked } = stand(upstreams)
  await Promise.all(Array.from({ length: 20 }, () => find('crm')))
  assert.equal(asked(), 1)
  for (let count = 0; count < 20; count++) await find('nobody')
  assert.equal(asked(), 1)
  upstreams.push(payments)
  pass(1_001)
  assert.equal(await find('payments'), 'payments')
  assert.equal(asked(), 2)
  upstreams.length = 0
  pass(30_001)
  assert.equal(await find('crm'), 'unknown')
})

test('a refused catalog is passed on', async () => {
  const problem = { type: '', title: '', status: 403, code: 'identity.blocked', instance: '' } as const
  const hosts = upstreamHosts({ catalog: async () => ({ kind: 'refused', problem }) }, { now: () => 0 })
  assert.deepEqual(await hosts.find('crm'), { kind: 'refused', problem })
})
