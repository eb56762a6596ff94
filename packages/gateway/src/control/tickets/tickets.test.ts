import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as pause } from 'node:timers/promises'
import { jwksAnswer, parseTrustDomain, ticketLimits } from '@sallyport/contract'
import { ticketBench } from '../../../../../test/fixtures/tickets.ts'
import { openRecord, sealRecord } from '../../drivers/sqlite/sealed-record.ts'
import { keptTicketKeys } from '../data-folder.ts'
import { LiveTicketTrust, revokedRememberedMs } from './live-ticket-trust.ts'
import { ticketKeysMax } from './ticket-keys.ts'

test('what is minted verifies, and says what the session says', async () => {
  const bench = await ticketBench()
  const verified = await bench.verifier.verify(await bench.mint({ generation: 7, scopes: ['a', 'b'] }), bench.bot, bench.nowMs, '/mcp')
  assert.ok(!('problem' in verified))
  const { session, generation, person, scopes, agent, thumbprint, issuedAtSeconds, expiresAtSeconds } = verified
  assert.deepEqual([session, generation, person, scopes], ['session-1', 7, { issuer: 'https://idp.example', subject: 'alice' }, ['a', 'b']])
  assert.deepEqual([agent.id, thumbprint, expiresAtSeconds - issuedAtSeconds], [bench.bot.id, bench.bot.thumbprint, ticketLimits.lifetimeSecondsMax])
})

test('facts that would be read otherwise are not signed', async () => {
  const bench = await ticketBench()
  for (const changed of [
    { scopes: ['a b'] },
    { scopes: [''] },
    { subject: 'älice' },
    { subject: '' },
    { issuer: 'idp' },
    { generation: 0.5 },
    { session: 'a/b' },
    { expiresAt: bench.nowMs },
    { scopes: Array.from({ length: 65 }, (_, at) => `scope-${at}`) },
    { scopes: Array.from({ length: 64 }, (_, at) => `${at}`.padEnd(60, 'x')) },
  ])
    await assert.rejects(bench.mint(changed), { name: 'Fault', outcome: 'not-done' })
})

test('a rotation lets the published key sign, publishes another, and is in the log before', async () => {
  const bench = await ticketBench()
  const [active, next] = bench.tickets.status
  assert.deepEqual([active?.status, next?.status], ['active', 'next'])
  const rotated = await bench.tickets.rotate('ada')
  assert.deepEqual(rotated, { kind: 'rotated', active: next?.kid })
  assert.deepEqual(
    bench.tickets.status.map(({ status }) => status),
    ['retiring', 'active', 'next'],
  )
  assert.deepEqual(bench.noted, [{ type: 'admin', act: 'ticket-key.rotated', person: 'ada', subject: { key: next?.kid, before: active?.kid } }])
  assert.deepEqual(
    bench.tickets.trust.jwks.map(({ kid }) => kid),
    bench.tickets.status.map(({ kid }) => kid),
  )
  assert.ok(jwksAnswer.safeParse({ keys: bench.tickets.trust.jwks }).success)
  assert.doesNotMatch(JSON.stringify(bench.tickets.trust.changes()), /"d"|pkcs8/, 'no private part leaves')
})

test('nothing is signed with a key before every thread knows that it signs', async () => {
  const bench = await ticketBench()
  const known = Promise.withResolvers<void>()
  bench.tickets.trust.onChange(() => known.promise)
  const before = bench.tickets.status[0]?.kid
  const rotating = bench.tickets.rotate('ada')
  while (bench.noted.length === 0) await pause()
  const kidOf = async (): Promise<unknown> => JSON.parse(Buffer.from((await bench.mint()).split('.')[0] ?? '', 'base64url').toString()).kid
  assert.equal(await kidOf(), before)
  known.resolve()
  await rotating
  assert.notEqual(await kidOf(), before)
})

test('keys survive a restart, and the ones whose tickets have ended are given up', async () => {
  const bench = await ticketBench()
  const ticket = await bench.mint()
  await bench.tickets.rotate('ada')
  const { status } = bench.tickets
  await bench.restart()
  assert.deepEqual(bench.tickets.status, status)
  assert.equal(await bench.ask(ticket), 'session-1 of alice')
  bench.nowMs += 361_000
  await bench.restart()
  assert.deepEqual(
    bench.tickets.status.map((key) => key.status),
    ['active', 'next'],
  )
})

test('rotations in a row are refused before there are too many keys, and pass again when their tickets have ended', async () => {
  const bench = await ticketBench()
  const kinds: string[] = []
  for (let at = 0; at < ticketKeysMax; at += 1) kinds.push((await bench.tickets.rotate('ada')).kind)
  assert.deepEqual([kinds.filter((kind) => kind === 'rotated').length, kinds.at(-1)], [ticketKeysMax - 2, 'refused'])
  bench.nowMs += 361_000
  assert.equal((await bench.tickets.rotate('ada')).kind, 'rotated')
  assert.equal(bench.tickets.status.length, 3)
})

test('damaged keys keep the gateway from starting, and say what to do', async () => {
  const bench = await ticketBench()
  const whole = bench.kept ?? ''
  for (const damaged of ['', '{}', whole.slice(1), whole.replace('"signsFrom":null', '"signsFrom":1'), JSON.stringify({ version: 1, keys: [] })]) {
    bench.kept = damaged
    await assert.rejects(bench.restart(), { name: 'Fault', message: /delete ticket\.keys/ })
  }
})

test('the file of the keys is sealed, private, and of no use under another name or key', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-tickets-'))
  t.after(() => rm(folder, { recursive: true }))
  const keptUnder = (key: Uint8Array): ReturnType<typeof keptTicketKeys> =>
    keptTicketKeys(
      folder,
      (text) => sealRecord(key, randomBytes, 'ticket.keys', text),
      (sealed) => openRecord(key, 'ticket.keys', sealed),
    )
  const key = randomBytes(32)
  assert.equal(await keptUnder(key).read(), undefined)
  await keptUnder(key).keep('{"pkcs8":"secret"}')
  assert.equal(await keptUnder(key).read(), '{"pkcs8":"secret"}')
  const file = join(folder, 'ticket.keys')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const text = await readFile(file, 'utf8')
  assert.ok(!text.includes('secret') && !Buffer.from(text, 'base64').includes('secret'))
  await assert.rejects(keptUnder(randomBytes(32)).read(), { name: 'Fault', message: /delete it/ })
  await writeFile(file, `${text.slice(0, -8)}AAAAAAA=`)
  await assert.rejects(keptUnder(key).read(), { name: 'Fault' })
})

test('a revoked session is forgotten only when no ticket of it can be alive', () => {
  const domain = parseTrustDomain('test.example')
  assert.ok(domain)
  const trust = new LiveTicketTrust(domain)
  const revoke = (session: string, nowMs: number): Promise<void> => trust.apply({ kind: 'revoked', sessions: [{ session, revokedAtMs: nowMs }], nowMs })
  void revoke('first', 0)
  assert.ok(revokedRememberedMs > ticketLimits.lifetimeSecondsMax * 1000)
  void revoke('second', revokedRememberedMs)
  assert.deepEqual([trust.isRevoked('first'), trust.revoked], [true, 2])
  void revoke('third', revokedRememberedMs + 1)
  assert.deepEqual([trust.isRevoked('first'), trust.isRevoked('second'), trust.revoked], [false, true, 2])
  const copy = new LiveTicketTrust(domain)
  for (const change of trust.changes()) void copy.apply(change)
  assert.deepEqual([copy.isRevoked('second'), copy.isRevoked('third'), copy.revoked], [true, true, 2])
})
