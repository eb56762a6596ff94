import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { agentIdentity, parseAgentName, parseTenantName, parseThumbprint, parseTrustDomain } from './names.ts'
import { readTicketClaims, readTicketKeyId, ticketAudience, ticketIssuer, ticketLimits, writeTicketClaims, type Ticket } from './ticket.ts'

const [domain, tenant, agent, thumbprint] = [
  parseTrustDomain('agents.example'),
  parseTenantName('acme'),
  parseAgentName('bot'),
  parseThumbprint('x'.repeat(43)),
]
assert.ok(domain && tenant && agent && thumbprint)
const identity = agentIdentity(domain, tenant, agent)

const ticket: Ticket = {
  issuer: ticketIssuer(domain),
  audience: ticketAudience(domain),
  id: 'b3c1',
  session: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  generation: 3,
  person: { issuer: 'https://idp.example', subject: 'alice' },
  scopes: ['openid', 'calendar.read'],
  agent: identity,
  earlierActors: [],
  thumbprint,
  issuedAtSeconds: 1_000,
  expiresAtSeconds: 1_300,
}

const claims = (): Record<string, unknown> => JSON.parse(new TextDecoder().decode(writeTicketClaims(ticket)))
const read = (value: unknown): Ticket | undefined => readTicketClaims(new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)))

test('what is written is read, chains of actors included', () => {
  assert.deepEqual(readTicketClaims(writeTicketClaims(ticket)), ticket)
  const chained = { ...ticket, scopes: [], earlierActors: Array.from({ length: ticketLimits.actorsMax - 1 }, () => ({ ...identity, thumbprint })) }
  assert.deepEqual(readTicketClaims(writeTicketClaims(chained)), chained)
  assert.equal(readTicketClaims(writeTicketClaims({ ...chained, earlierActors: [...chained.earlierActors, { ...identity, thumbprint }] })), undefined)
})

for (const [name, changed] of Object.entries<Record<string, unknown>>({
  'an audience in a list': { aud: [ticket.audience] },
  'a claim that nobody knows': { admin: true },
  'a subject that is no ASCII': { sub: 'älice' },
  'a person that the two claims name differently': { sub: 'mallory' },
  'a person of another form': { sub_id: { format: 'opaque', id: 'alice' } },
  'an actor that is no agent': { act: { sub: 'spiffe://agents.example/gateway' } },
  'no actor': { act: undefined },
  'an actor with more than its name': { act: { sub: identity.id, iss: 'https://other.example' } },
  'an earlier actor without a certificate': { act: { sub: identity.id, act: { sub: identity.id } } },
  'an earlier actor that is no agent': { act: { sub: identity.id, act: { sub: 'alice', cnf: { 'x5t#S256': thumbprint } } } },
  'two certificates of one actor': { act: { sub: identity.id, cnf: { 'x5t#S256': thumbprint } } },
  'no certificate': { cnf: undefined },
  'a key instead of a certificate': { cnf: { jkt: 'x'.repeat(43) } },
  'a certificate and a key': { cnf: { 'x5t#S256': thumbprint, jkt: 'x'.repeat(43) } },
  'a thumbprint of another length': { cnf: { 'x5t#S256': 'x'.repeat(42) } },
  'a life of more than five minutes': { exp: 1_301 },
  'an end at its beginning': { exp: 1_000 },
  'an end before its beginning': { exp: 999 },
  'a part of a second': { exp: 1_200.5 },
  'times as text': { iat: '1000' },
  'a beginning apart from its issue': { nbf: 999 },
  'no beginning': { nbf: undefined },
  'a scope list with a gap': { scope: 'openid  calendar.read' },
  'a scope with a quote': { scope: 'open"id' },
  'more scopes than 64': { scope: Array.from({ length: 65 }, (_, at) => `s${at}`).join(' ') },
  'no name of its own': { jti: '' },
})) {
  test(`${name} is no ticket`, () => assert.equal(read({ ...claims(), ...changed }), undefined))
}

test('64 scopes are a ticket', () => assert.equal(read({ ...claims(), scope: Array.from({ length: 64 }, (_, at) => `s${at}`).join(' ') })?.scopes.length, 64))

test('a claim that is said twice is no ticket', () => {
  const text = new TextDecoder().decode(writeTicketClaims(ticket))
  assert.equal(read(text.replace('"gen":3', '"gen":3,"gen":4')), undefined)
  assert.ok(read(text))
})

const kid = 'k'.repeat(43)
const encoded = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const signature = Buffer.alloc(64, 7).toString('base64url')
const compact = (header: unknown, payload: unknown = claims()): string => `${encoded(header)}.${encoded(payload)}.${signature}`
const header = { alg: 'ES256', typ: 'sallyport-ticket+jwt', kid }

test('the header names the key', () => assert.equal(readTicketKeyId(compact(header)), kid))

for (const [name, text] of Object.entries({
  'another algorithm': compact({ ...header, alg: 'HS256' }),
  'no algorithm': compact({ ...header, alg: 'none' }),
  'another type': compact({ ...header, typ: 'at+jwt' }),
  'its type in another case': compact({ ...header, typ: 'Sallyport-Ticket+JWT' }),
  'its type as a whole media type': compact({ ...header, typ: 'application/sallyport-ticket+jwt' }),
  'no type': compact({ alg: 'ES256', kid }),
  'no key': compact({ alg: 'ES256', typ: header.typ }),
  'a key as a path': compact({ ...header, kid: `../${'k'.repeat(40)}` }),
  'a critical extension': compact({ ...header, crit: ['b64'], b64: false }),
  'a key of its own': compact({ ...header, jwk: { kty: 'EC' } }),
  'the address of a key': compact({ ...header, jku: 'https://attacker.example/jwks' }),
  'a certificate of its own': compact({ ...header, x5c: ['MIIB'] }),
  'a header with two algorithms': compact(`{"alg":"ES256","alg":"none","typ":"${header.typ}","kid":"${kid}"}`),
  padding: `${encoded(header)}=.${encoded(claims())}.${signature}`,
  'another spelling of its last bits': `${encoded(header)}.${encoded(claims())}.${signature.slice(0, -1)}x`,
  'a detached payload': `${encoded(header)}..${signature}`,
  'five parts': `${compact(header)}.a.b`,
  'the JSON form': JSON.stringify({ protected: encoded(header), payload: encoded(claims()), signature }),
  'white space': ` ${compact(header)}`,
  'two tickets': `${compact(header)}, ${compact(header)}`,
  nothing: '',
})) {
  test(`a ticket with ${name} has no key`, () => assert.equal(readTicketKeyId(text), undefined))
}

test('a ticket of 4096 characters is read, a longer one is not', () => {
  const around = `${encoded(header)}..${signature}`.length
  const of = (length: number): string => `${encoded(header)}.${'A'.repeat(length - around)}.${signature}`
  for (const length of [ticketLimits.charactersMax, ticketLimits.charactersMax + 1]) {
    const text = of(length)
    assert.equal(text.length, length)
    assert.equal(readTicketKeyId(text), length > ticketLimits.charactersMax || (length - around) % 4 === 1 ? undefined : kid)
  }
})

test('no text makes the parser throw', () => {
  fc.assert(fc.property(fc.string(), (text) => readTicketKeyId(text) === undefined))
  fc.assert(fc.property(fc.uint8Array(), (bytes) => readTicketClaims(bytes) === undefined))
  fc.assert(fc.property(fc.json(), (text) => read(text) === undefined))
})
