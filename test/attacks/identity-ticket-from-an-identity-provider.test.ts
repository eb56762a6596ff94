// RFC 8725 section 3.11 (cross-JWT confusion): no other token is a ticket, even one that our own key has signed, and a ticket is no other token.
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import { CompactSign, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { decoded, ticketBench } from '../fixtures/tickets.ts'

test('[S3] an ID token or access token of an identity provider is no ticket, whatever its header says', async () => {
  const bench = await ticketBench()
  const [jwk] = bench.tickets.trust.jwks
  assert.ok(jwk)
  const provider = await generateKeyPair('ES256')
  const { nowMs } = bench
  for (const typ of ['JWT', 'at+jwt', 'sallyport-ticket+jwt', undefined]) {
    for (const kid of [jwk.kid, 'idp-key-1']) {
      const token = await new SignJWT({ nonce: 'n', azp: 'sallyport', scope: 'calendar.read', client_id: 'bot' })
        .setProtectedHeader({ alg: 'ES256', kid, ...(typ !== undefined && { typ }) })
        .setIssuer('https://idp.example')
        .setSubject('alice')
        .setAudience(bench.tickets.trust.audience)
        .setIssuedAt(Math.floor(nowMs / 1000))
        .setExpirationTime(Math.floor(nowMs / 1000) + 300)
        .sign(provider.privateKey)
      assert.match(await bench.ask(token), /^identity\.ticket-invalid/)
    }
  }
})

test('what a ticket key has signed and is not a ticket of this profile is none', async () => {
  const bench = await ticketBench()
  const genuine = await bench.mint()
  const { keys }: { keys: { pkcs8: string }[] } = JSON.parse(bench.kept ?? '')
  const privateKey = createPrivateKey({ key: Buffer.from(keys[0]?.pkcs8 ?? '', 'base64'), type: 'pkcs8', format: 'der' })
  const sign = (header: object, claims: object): Promise<string> =>
    new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: 'ES256', ...decoded(genuine, 0), ...header }).sign(privateKey)
  const claims = decoded(genuine, 1)
  assert.equal(await bench.ask(await sign({}, claims)), 'session-1 of alice', 'the key is the right one')
  assert.match(await bench.ask(await sign({ typ: 'JWT' }, claims)), /no ticket of this profile/)
  assert.match(await bench.ask(await sign({ typ: 'at+jwt' }, claims)), /no ticket of this profile/)
  assert.match(await bench.ask(await sign({}, { ...claims, aud: ['spiffe://test.example/gateway', 'https://idp.example'] })), /no ticket/)
  assert.match(await bench.ask(await sign({}, { ...claims, aud: 'https://api.example' })), /for another audience/)
  assert.match(await bench.ask(await sign({}, { ...claims, iss: 'https://idp.example' })), /of another issuer/)
  assert.match(await bench.ask(await sign({}, { ...claims, cnf: undefined })), /no ticket/)
  assert.match(await bench.ask(await sign({}, { ...claims, exp: Number(claims['iat']) + 86_400 })), /no ticket/)
})

test('who checks what RFC 9068 or OpenID Connect says of their tokens takes no ticket for one, even with our keys', async () => {
  const bench = await ticketBench()
  const ticket = await bench.mint()
  const [jwk] = bench.tickets.trust.jwks
  assert.ok(jwk)
  const currentDate = new Date(bench.nowMs)
  assert.ok(await jwtVerify(ticket, jwk, { currentDate }), 'the signature is not what refuses it')
  await assert.rejects(jwtVerify(ticket, jwk, { currentDate, typ: 'at+jwt' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
  await assert.rejects(jwtVerify(ticket, jwk, { currentDate, typ: 'JWT' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
  await assert.rejects(jwtVerify(ticket, jwk, { currentDate, audience: 'https://api.example' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
  await assert.rejects(jwtVerify(ticket, jwk, { currentDate, issuer: 'https://idp.example' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
})
