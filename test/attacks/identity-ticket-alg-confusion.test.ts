// RFC 8725 section 2.1: whoever may choose the algorithm signs with what is public, or not at all.
import assert from 'node:assert/strict'
import { createHmac, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { decoded, encoded, ticketBench } from '../fixtures/tickets.ts'

test('[S3] a ticket that is not signed, or with what everybody knows, is none', async () => {
  const bench = await ticketBench()
  const genuine = await bench.mint()
  assert.equal(await bench.ask(genuine), 'session-1 of alice')
  const [, payload = '', signature = ''] = genuine.split('.')
  const header = decoded(genuine, 0)
  const [jwk] = bench.tickets.trust.jwks
  assert.ok(jwk)
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const secrets = [key.export({ type: 'spki', format: 'pem' }), key.export({ type: 'spki', format: 'der' }), JSON.stringify(jwk), jwk.x, jwk.kid]
  const byHmac = (alg: string): string[] =>
    secrets.map((secret) => {
      const signed = `${encoded({ ...header, alg })}.${payload}`
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
    })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const start = `${encoded(header)}.${payload}`
  const byAnother = createSign('sha256').update(start).sign({ key: other.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  const der = Buffer.from('3006020101020101', 'hex').toString('base64url')

  for (const forged of [
    `${encoded({ ...header, alg: 'none' })}.${payload}.`,
    `${encoded({ ...header, alg: 'none' })}.${payload}.${signature}`,
    `${encoded({ ...header, alg: 'None' })}.${payload}.`,
    ...byHmac('HS256'),
    ...byHmac('ES256'),
    `${encoded({ ...header, alg: 'ES384' })}.${payload}.${signature}`,
    `${encoded({ ...header, alg: 'ES256K' })}.${payload}.${signature}`,
    `${encoded({ ...header, alg: 'EdDSA' })}.${payload}.${signature}`,
    `${start}.${byAnother}`,
    `${start}.${Buffer.alloc(64).toString('base64url')}`, // r = s = 0, CVE-2022-21449
    `${start}.${Buffer.alloc(64, 255).toString('base64url')}`,
    `${start}.${der}`,
    `${start}.`,
    `${encoded(header)}.${encoded({ ...decoded(genuine, 1), sub: 'mallory' })}.${signature}`,
  ])
    assert.match(await bench.ask(forged), /^identity\.ticket-invalid/)
  assert.equal(bench.verifier.remembered, 1, 'what does not count is not remembered')
})
