import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problems, type ProblemCode } from '@sallyport/contract'
import { isPrincipal, outward } from './identify.ts'

test('strangers get one code without a detail; other stages speak for themselves', () => {
  for (const code of Object.keys(problems) as ProblemCode[]) {
    const told = outward({ code, detail: 'inner' })
    if (!code.startsWith('identity.')) assert.deepEqual(told, { code, detail: 'inner' })
    else assert.equal(told.detail, undefined)
  }
  for (const code of [
    'identity.certificate-invalid',
    'identity.certificate-expired',
    'identity.certificate-revoked',
    'identity.issuer-retired',
    'identity.unknown-agent',
  ] as const) {
    assert.deepEqual(outward({ code }), { code: 'identity.unauthenticated' })
  }
  assert.deepEqual(outward({ code: 'identity.blocked' }), { code: 'identity.blocked' })
})

test('nothing that looks like a principal is one', () => {
  assert.equal(isPrincipal({ kind: 'principal', id: 'spiffe://agents.test/tenant/acme/agent/invoice-bot' }), false)
  assert.equal(isPrincipal(undefined), false)
  assert.equal(isPrincipal(null), false)
})
