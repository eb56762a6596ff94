import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { ownPaths, type SessionEvent } from '@sallyport/contract'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { huntOwnLog } from '../../packages/gateway/src/cli/hunt/own-log.ts'
import { openLogFolder, viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { newSigner, replaceEntry } from '../fixtures/log-folder.ts'
import { operator } from '../fixtures/operator.ts'
import { askAgent, openedSession, people } from '../fixtures/people.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const mapping = `version: 1
time: { field: ts }
session: sid
refresh: { event: token.refreshed }
validation: { event: session.validated }
within: 30s
`

test('[R6] [R7] refreshes of another system that nothing validated are found, and what this gateway knows of them is quarantined: a person must log in again', async () => {
  await using all = await people()
  const held = await openedSession(all)
  const line = (event: string, sid: string, seconds: number): string =>
    `${JSON.stringify({ ts: new Date(Date.UTC(2026, 10, 20) + seconds * 1000).toISOString(), event, sid })}\n`
  const log = join(all.whole.folder, 'app.jsonl')
  const map = join(all.whole.folder, 'mapping.yaml')
  await writeFile(map, mapping)
  await writeFile(
    log,
    line('session.validated', 'fine', 0) + line('token.refreshed', 'fine', 2) + line('token.refreshed', held.session, 5) + line('token.refreshed', 'theirs', 9),
  )
  const hunt = ['hunt', 'refreshes', '--log', log, '--mapping', map, '--from', '2026-11-20', '--to', '2026-11-20']
  const found = await operator(all.whole, [...hunt, '--json'])
  assert.equal(found.code, 1)
  assert.deepEqual(
    JSON.parse(found.stdout).found.map(({ session }: { session: string }) => session),
    [held.session, 'theirs'],
  )
  assert.equal((await operator(all.whole, [...hunt.slice(0, -4), '--from', '2026-11-21'])).code, 0)

  const quarantined = await operator(all.whole, [...hunt, '--quarantine', '--json'])
  assert.deepEqual(JSON.parse(quarantined.stdout).quarantined, [held.session])
  const refused = await askAgent(all, ownPaths.sessionRefresh, { handle: held.handle })
  assert.equal(refused.said, 'session.login-required')
  assert.ok(
    (await all.whole.events()).some(
      (event) => event.type === 'session' && event.act === 'quarantined' && event.session === held.session && event.person === 'alice',
    ),
  )
})

test('[R6] our own refreshes name their validation, and the hunt finds each that does not name one of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-hunt-'))
  const { log } = await openLog(await openLogFolder(folder), newSigner())
  const write = (act: SessionEvent['act'], session: string, more: Partial<SessionEvent> = {}): Promise<number> =>
    log.append({ v: 1, type: 'session', time: '2026-11-25T10:00:00.000Z', act, session, caller: { tenant: 'acme', agent: 'bot' }, ...more })
  const validation = await write('validated', 's1')
  await write('refreshed', 's1', { validation, generation: 2 })
  await write('refreshed', 's1', { validation, generation: 2 }) // the same answer again
  await write('refreshed', 's1', { validation, generation: 3 })
  await write('refreshed', 's2', { validation, generation: 2 })
  await write('refreshed', 's3', { generation: 2 })
  await write('refreshed', 's4', { validation: 1, generation: 2 })
  await write('refreshed', 's5', { validation: 99, generation: 2 })
  await log.close()
  const { found, refreshes } = await huntOwnLog(viewLogFolder(folder), { from: 0, to: Number.MAX_SAFE_INTEGER })
  assert.equal(refreshes, 7)
  assert.deepEqual(
    found.map(({ session, why }) => `${session}: ${why}`),
    [
      's1: its validation, entry 0, had allowed another refresh',
      's2: the validation that it names, entry 0, is of another session',
      's3: it names no validation',
      's4: entry 1, which it names, is no validation',
      's5: the validation that it names, entry 99, does not come before it',
    ],
  )
  await rm(folder, { recursive: true })
})

test('a hunt on the log of a gateway at work finds nothing', async () => {
  await using all = await people()
  const held = await openedSession(all)
  assert.equal((await askAgent(all, ownPaths.sessionRefresh, { handle: held.handle })).status, 200)
  const ran = await operator(all.whole, ['hunt', 'refreshes'])
  assert.equal(ran.code, 0)
  assert.match(ran.stdout, /Each of 1 refreshes has a validation of its own/)
})

test('hunt pairs verifies the log, and finds nothing where every permitted call has its outcome', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'all', match: { tenant: 'acme' }, then: 'permit' }])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  for (let call = 0; call < 3; call += 1) await agent.callHttp('api', { method: 'GET', path: '/things/7' })
  await whole.stop()
  const pairs = (...rest: readonly string[]) =>
    operator(whole, ['hunt', 'pairs', '--first', 'type=decision', 'decision=permit', '--without', ...rest, '--within', '1ms', '--side', 'after', '--json'])
  const late = JSON.parse((await pairs('type=outcome', 'result=failed')).stdout)
  assert.equal(late.firsts, 3)
  assert.deepEqual(
    late.found.map(({ why }: { why: string }) => why),
    ['none', 'none', 'none'],
  )
  assert.equal(late.verified.size, (await whole.events()).length)
  const all = ['hunt', 'pairs', '--first', 'type=decision', 'decision=permit', '--without', 'type=outcome', '--within', '1d', '--from', '2026-01-01']
  const healthy = await operator(whole, [...all, '--to', '2d'])
  assert.match(healthy.stdout, /No entry fits --first at all/)
  const answered = await operator(whole, all)
  assert.deepEqual([answered.code, answered.stderr], [0, ''])
  assert.match(answered.stdout, /Each of 3 entries has a counterpart of its own\.\nThe log is verified: [0-9]+ entries\./)
  assert.equal((await operator(whole, [...all, '--quick'])).code, 1) // there is no index
  assert.equal((await operator(whole, ['hunt', 'refreshes'])).code, 0)

  const size = (await whole.events()).length
  replaceEntry(join(whole.data, 'log'), size - 2, size, (entry) => Buffer.from(Buffer.from(entry).toString().replace('answered', 'cancelled')))
  const altered = await operator(whole, all)
  assert.equal(altered.code, 1)
  assert.match(altered.stderr, /the log does not verify/)
  assert.equal(altered.stdout, '')
  const refreshes = await operator(whole, ['hunt', 'refreshes'])
  assert.equal(refreshes.code, 1)
  assert.match(refreshes.stderr, /warning: the log does not verify, so more may have happened/)
})

test('a hunt for pairs says what is wrong with what it is asked', async () => {
  const nowhere = { configurationFile: 'unused', data: 'unused' }
  for (const [args, told] of [
    [['--first', 'colour=red', '--without', 'type=outcome', '--within', '1s'], /Write NAME=VALUE, with a name of type/],
    [['--first', 'type=decision', 'type=outcome', '--without', 'type=outcome', '--within', '1s'], /type is given twice/],
    [['--first', 'type=decsion', '--without', 'type=outcome', '--within', '1s'], /The type is one of decision, refusal, outcome,/],
    [['--first', 'decision=permitted', '--without', 'type=outcome', '--within', '1s'], /The decision is one of .*permit/],
    [['--first', 'type=decision', '--without', 'result=answerd', '--within', '1s'], /The result is one of answered/],
    [['--first', 'type=decision', '--without', 'type=outcome', '--within', 'soon'], /Write a duration/],
    [['--first', 'type=decision', '--without', 'type=outcome', '--within', '1s', '--same', 'colour'], /Allowed choices/],
    [['--first', 'type=decision', '--without', 'type=outcome', '--within', '1s', '--from', '1h', '--to', '2h'], /--from is later than --to/],
  ] as const) {
    const { code, stderr } = await operator(nowhere, ['hunt', 'pairs', ...args])
    assert.equal(code, 64)
    assert.match(stderr, told)
  }
})
