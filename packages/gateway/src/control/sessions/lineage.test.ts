import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { parseAgentName, parseSpiffeId, parseTenantName, parseThumbprint, type Thumbprint } from '@sallyport/contract'
import type { AgentKey, IssuedCertificate } from '../authority/agent-store.ts'
import { recordedLineage } from './lineage.ts'

const [tenant, agent] = [parseTenantName('acme') ?? never(), parseAgentName('bot') ?? never()]
const { id } = parseSpiffeId('spiffe://agents.test/tenant/acme/agent/bot') ?? never()

/** Certificates by their names, each with the one it was renewed from; `!` marks a revoked one. */
function lineageOf(links: Readonly<Record<string, string | undefined>>) {
  const issued = Object.entries(links).map(([name, previous]): IssuedCertificate => {
    const revokedAtMs = name.endsWith('!') ? 1 : undefined
    return {
      tenant,
      agent,
      thumbprint: print(name),
      issuer: print('root'),
      previous: previous === undefined ? undefined : print(previous),
      issuedAtMs: 0,
      notAfterMs: 1,
      revokedAtMs,
    }
  })
  const lineage = recordedLineage({ certificates: async (asked: AgentKey) => (asked.agent === agent && asked.tenant === tenant ? issued : []) })
  return (shown: string, ancestor: string): Promise<boolean> => lineage.descends({ id, tenant, agent, thumbprint: print(shown) }, print(ancestor))
}

test('a certificate descends from those it was renewed from, and from no other', async () => {
  const descends = lineageOf({ a: undefined, b: 'a', c: 'b', other: undefined, fork: 'a' })
  assert.equal(await descends('b', 'a'), true)
  assert.equal(await descends('c', 'a'), true)
  assert.equal(await descends('fork', 'a'), true)
  for (const [shown, ancestor] of [
    ['a', 'b'],
    ['a', 'a'],
    ['other', 'a'],
    ['fork', 'b'],
    ['unknown', 'a'],
    ['c', 'unknown'],
  ] as const)
    assert.equal(await descends(shown, ancestor), false, `${shown} from ${ancestor}`)
})

test('a revoked certificate breaks the line, at either end and between', async () => {
  const descends = lineageOf({ 'a!': undefined, b: 'a!', 'c!': 'b', d: 'c!' })
  assert.equal(await descends('b', 'a!'), false)
  assert.equal(await descends('c!', 'b'), false)
  assert.equal(await descends('d', 'b'), false)
})

test('a line that is forgotten in the middle, or runs in a circle, leads nowhere', async () => {
  assert.equal(await lineageOf({ a: undefined, c: 'b' })('c', 'a'), false)
  assert.equal(await lineageOf({ a: undefined, x: 'y', y: 'x' })('x', 'a'), false)
})

function print(name: string): Thumbprint {
  return parseThumbprint(createHash('sha256').update(name).digest('base64url')) ?? never()
}

function never(): never {
  throw new TypeError('the tests name no such thing')
}
