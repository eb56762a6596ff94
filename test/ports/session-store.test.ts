import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test, type TestContext } from 'node:test'
import pg from 'pg'
import { Fault } from '@sallyport/contract'
import type { Flight, Verdict } from '../../packages/gateway/src/control/sessions/gate.ts'
import {
  sessionsPerAgentMax,
  sessionsPerClientMax,
  sessionTermsDefault,
  type SessionTerms,
} from '../../packages/gateway/src/control/sessions/session-record.ts'
import type { SessionStore } from '../../packages/gateway/src/control/sessions/session-store.ts'
import type { Landed } from '../../packages/gateway/src/control/sessions/steps.ts'
import type { SessionClient } from '../../packages/gateway/src/control/sessions/session.ts'
import { SessionLog } from '../../packages/gateway/src/control/sessions/session-log.ts'
import { tokenPlace } from '../../packages/gateway/src/control/sessions/sealed-texts.ts'
import { Sessions } from '../../packages/gateway/src/control/sessions/sessions.ts'
import type { IdentityProvider } from '../../packages/gateway/src/control/sessions/identity-provider.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { timerPause } from '../../packages/gateway/src/drivers/timer-pause.ts'
import { openSessionStore, type OpenSessionStore } from '../fixtures/session-stores.ts'
import { startPostgres, type RunningPostgres } from '../fixtures/postgres.ts'
import { agentName, owner, proofOf, thumbprint } from '../simulation/names.ts'

interface Driver {
  /** Where a fresh store can be. */
  place(t: TestContext): Promise<string>
  /** Locks the session for every writer, until what it gives is called. */
  lock(place: string, session: string): Promise<() => Promise<void>>
}

let postgres: RunningPostgres | undefined

/** Every driver passes the same suite. */
const drivers: Readonly<Record<'sqlite' | 'postgres', Driver>> = {
  sqlite: {
    place: async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'sallyport-sessions-'))
      t.after(() => rmSync(folder, { recursive: true }))
      return join(folder, 'sallyport.db')
    },
    lock: async (place) => {
      const other = new DatabaseSync(place)
      other.exec('BEGIN IMMEDIATE')
      return async () => {
        other.exec('ROLLBACK')
        other.close()
      }
    },
  },
  postgres: {
    place: async () => await (postgres ?? never()).createDatabase(),
    lock: async (place, session) => {
      const other = new pg.Client({ connectionString: place })
      await other.connect()
      await other.query('BEGIN')
      await other.query('SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE', [session])
      return () => other.end()
    },
  },
}

before(async () => {
  postgres = await startPostgres()
})
after(() => postgres?.stop())

const bot = proofOf('bot', 'bot-key')
const terms = sessionTermsDefault
const seal = recordSeal(new Uint8Array(32).fill(1), randomBytes)
const noTime: Partial<SessionTerms> = { flightMs: 0, quarantineMs: 0 }

for (const [name, driver] of Object.entries(drivers)) {
  const kind = name === 'sqlite' ? 'sqlite' : 'postgres'
  describe(`session store on ${name}`, () => {
    /** A store, and more of them over the same place, with terms of their own. */
    const fresh = async (t: TestContext): Promise<{ store: SessionStore; place: string; again: (more?: Partial<SessionTerms>) => Promise<SessionStore> }> => {
      const place = await driver.place(t)
      const opened: OpenSessionStore[] = []
      t.after(async () => {
        for (const one of opened) await one.close()
      })
      const again = async (more: Partial<SessionTerms> = {}): Promise<SessionStore> => {
        const one = await openSessionStore(kind, place, { ...terms, ...more })
        opened.unshift(one)
        return one.store
      }
      return { store: await again(), place, again }
    }

    test('a session is taken up once, by its agent, whatever the number of takers', async (t) => {
      const { store } = await fresh(t)
      await open(store, 's1')
      assert.deepEqual(await store.claimable(proofOf('mallory', 'm')), { kind: 'none' })
      assert.equal(await store.claim('s1', proofOf('mallory', 'm'), handle('m')), 'gone')
      assert.deepEqual(await store.claimable(bot), { kind: 'ready', session: 's1' })
      const claims = await Promise.all(Array.from({ length: 10 }, (_, index) => store.claim('s1', bot, handle(`h${index}`))))
      assert.deepEqual(claims.filter((claimed) => claimed === 'claimed').length, 1)
      const again = await store.claimable(bot)
      assert.equal(again.kind, 'answer', 'the one who lost the answer gets it again')
      assert.deepEqual(await store.claimable(proofOf('bot', 'other-key')), { kind: 'none' }, 'and nobody else')
    })

    test('a session of a program is taken up by its name, refreshed and ended as that program alone, and takes no place of others', async (t) => {
      const { store } = await fresh(t)
      const client = { id: 'https://app.example/client.json', resource: '/mcp/crm' }
      const asProgram = { ...bot, client: { id: client.id } }
      await open(store, 's0')
      await open(store, 'p0', client)
      assert.equal((await store.find('s0'))?.state, 'ready')
      assert.deepEqual((await store.find('p0'))?.client, client)
      assert.deepEqual(await store.claimable(bot), { kind: 'ready', session: 's0' })
      assert.deepEqual(await store.claimable(asProgram), { kind: 'none' })
      assert.equal(await store.claim('p0', bot, handle('h')), 'gone')
      assert.deepEqual(await store.claimable(asProgram, 'p0'), { kind: 'ready', session: 'p0' })
      assert.equal(await store.claim('p0', asProgram, handle('h')), 'claimed')
      const others = [bot, { ...bot, client: { id: 'https://other.example/client.json' } }, { ...bot, client: { id: client.id, resource: '/mcp/docs' } }]
      for (const other of others) {
        assert.equal((await store.gate(handle('h').digest, other)).kind, 'other-client')
        assert.equal((await store.end(handle('h').digest, other)).kind, 'other-client')
      }
      assert.equal((await store.gate(handle('h').digest, { ...bot, client })).kind, 'fly')
      for (let index = 1; index <= sessionsPerClientMax; index += 1) await open(store, `p${index}`, client)
      assert.equal((await store.find('p0'))?.state, 'revoked', 'the oldest of one person gives way')
      assert.equal((await store.find('p1'))?.state, 'ready')
    })

    test('what nobody takes up in time is not given any more', async (t) => {
      const { store, again } = await fresh(t)
      await open(store, 's1')
      const late = await again({ claimMs: 0 })
      assert.deepEqual(await late.claimable(bot), { kind: 'none' })
      assert.equal(await late.claim('s1', bot, handle('h1')), 'gone')
      assert.deepEqual(
        (await late.expire(10)).map(({ id }) => id),
        ['s1'],
      )
      assert.deepEqual(await tokensOf(store), ['s1 token'])
    })

    test('a newer opening takes the place of one that waits, and the number for one agent is bounded', async (t) => {
      const { store } = await fresh(t)
      await open(store, 's0')
      const opened = await open(store, 's1')
      assert.deepEqual(opened !== 'too-many' && opened.replaced.map(({ id }) => id), ['s0'])
      assert.equal((await store.find('s0'))?.state, 'revoked')
      assert.deepEqual(await tokensOf(store), ['s0 token'])
      for (let index = 1; index <= sessionsPerAgentMax; index += 1) {
        await store.claim(`s${index}`, bot, handle(`h${index}`))
        if (index < sessionsPerAgentMax) await open(store, `s${index + 1}`)
      }
      assert.equal(await open(store, 'one more'), 'too-many')
      assert.notEqual(await open(store, 'of another', undefined, 'other'), 'too-many')
    })

    test('of any number of arrivals one flies', async (t) => {
      const { store, again } = await fresh(t)
      await active(store)
      const other = await again()
      const verdicts = await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? store : other).gate('h1', bot)))
      assert.equal(verdicts.filter(({ kind: verdict }) => verdict === 'fly').length, 1)
      assert.equal(verdicts.filter(({ kind: verdict }) => verdict === 'wait').length, 39)
    })

    test('whoever fails the proof changes nothing, and waits for no lock', async (t) => {
      const { store, place } = await fresh(t)
      await active(store)
      const known = await store.find('s1')
      const release = await driver.lock(place, 's1')
      try {
        const asked = performance.now()
        assert.deepEqual(await store.gate('h1', proofOf('mallory', 'm')), { kind: 'not-owner', session: 's1' })
        assert.deepEqual(await store.gate('h1', proofOf('bot', 'other-key')), { kind: 'other-certificate', session: 's1', bound: bot.thumbprint })
        assert.deepEqual(await store.gate('h1', proofOf('bot', 'other-key'), thumbprint('no link')), {
          kind: 'other-certificate',
          session: 's1',
          bound: bot.thumbprint,
        })
        assert.equal((await store.end('h1', proofOf('mallory', 'm'))).kind, 'not-owner')
        assert.deepEqual(await store.gate('unknown', bot), { kind: 'unknown' })
        assert.ok(performance.now() - asked < 2000)
      } finally {
        await release()
      }
      assert.deepEqual(await store.find('s1'), known)
      assert.equal((await store.gate('h1', bot)).kind, 'fly')
    })

    test('a flight lands once, its handle is answered again until it is used, and what landed stays', async (t) => {
      const { store, again } = await fresh(t)
      await active(store)
      const flight = await fly(store, 'h1')
      assert.equal(await store.commitFlight(flight, landed('h2')), 'landed')
      assert.equal(await store.commitFlight(flight, landed('h2')), 'landed', 'said again when the answer was lost')
      assert.equal(await store.commitFlight(flight, landed('h2b')), 'fenced')
      const other = await again()
      for (const one of [store, other]) {
        const verdict = await one.gate('h1', bot)
        assert.ok(verdict.kind === 'answer')
        assert.deepEqual([verdict.generation, text(verdict.sealedHandle), verdict.subject, verdict.scopes], [2, 'sealed h2', 'alice', ['openid']])
      }
      await fly(other, 'h2')
      assert.equal((await store.gate('h1', bot)).kind, 'stale')
    })

    test('a handle replaced twice, or long ago, ends the session for good', async (t) => {
      const { store, again } = await fresh(t)
      await active(store)
      await land(store, 'h1', 'h2')
      await land(store, 'h2', 'h3')
      const late = await again({ replayMs: 0 })
      assert.equal((await store.gate('h2', bot)).kind, 'answer')
      assert.equal((await late.gate('h2', bot)).kind, 'ended')
      assert.equal((await store.gate('h3', bot)).kind, 'over')
      assert.deepEqual(await tokensOf(store), ['token of h3'])

      await active(store, 's2', 'g1')
      await land(store, 'g1', 'g2')
      await land(store, 'g2', 'g3')
      const ended = await store.gate('g1', bot)
      assert.ok(ended.kind === 'ended' && ended.state === 'revoked')
      assert.equal((await store.find('s2'))?.state, 'revoked')
    })

    test('a renewed certificate takes over by its lineage, and the one before is out', async (t) => {
      const { store } = await fresh(t)
      await active(store)
      const renewed = proofOf('bot', 'bot-key-2')
      await land(store, 'h1', 'h2')
      assert.equal((await store.gate('h1', renewed, bot.thumbprint)).kind, 'answer')
      assert.equal((await store.find('s1'))?.certificate, renewed.thumbprint)
      assert.equal((await store.gate('h1', bot)).kind, 'other-certificate')
    })

    test('a flight whose lease is over can be taken over once, and then lands nowhere', async (t) => {
      const { store, again } = await fresh(t)
      await active(store)
      const hasty = await again(noTime)
      const lost = await fly(hasty, 'h1')
      const probe = await fly(hasty, 'h1')
      assert.ok(probe.fence > lost.fence && probe.isProbe && !lost.isProbe)
      assert.equal(await store.commitFlight(lost, landed('late')), 'fenced')
      assert.deepEqual(await tokensOf(store), ['token of late'])
      assert.equal(await store.settleFlight(lost, { kind: 'refused', reason: 'late' }), 'fenced')
      const third = await hasty.gate('h1', bot)
      assert.ok(third.kind === 'ended' && third.state === 'reauth')
      assert.equal((await store.gate('h1', bot)).kind, 'login-required')
      assert.equal(await store.commitFlight(probe, landed('later')), 'fenced')
    })

    test('to revoke ends a flight under way, and gives both tokens back', async (t) => {
      const { store } = await fresh(t)
      await active(store)
      const flight = await fly(store, 'h1')
      assert.equal(await store.revoke('s1', 'by an operator'), 'done')
      assert.equal(await store.revoke('s1', 'again'), 'already')
      assert.equal(await store.revoke('none', 'x'), 'unknown')
      assert.equal(await store.commitFlight(flight, landed('h2')), 'fenced')
      assert.equal((await store.gate('h1', bot)).kind, 'over')
      assert.deepEqual(await tokensOf(store), ['s1 token', 'token of h2'])
      assert.deepEqual(await store.find('s1').then((found) => [found?.state, found?.reason]), ['revoked', 'by an operator'])
    })

    test('how a flight ends says what comes next', async (t) => {
      const { store, again } = await fresh(t)
      const hasty = await again(noTime)
      await active(store, 'refused', 'r1')
      assert.equal(await store.settleFlight(await fly(store, 'r1'), { kind: 'refused', reason: 'status 400' }), 'reauth')
      assert.equal((await store.gate('r1', bot)).kind, 'login-required')
      assert.deepEqual(await tokensOf(store), [], 'the provider has done with that token')

      await active(store, 'unknown', 'u1')
      assert.equal(await store.settleFlight(await fly(store, 'u1'), { kind: 'unknown', reason: 'reset' }), 'uncertain')
      const held = await store.gate('u1', bot)
      assert.ok(held.kind === 'wait' && held.isQuarantined && held.heldForMs > terms.quarantineMs - 5000)
      await again().then((other) => other.settleFlight(heldFlight('unknown'), { kind: 'unknown', reason: 'of another fence' }))
      assert.equal((await store.gate('u1', bot)).kind, 'wait')

      await active(store, 'twice', 't1')
      assert.equal(await hasty.settleFlight(await fly(hasty, 't1'), { kind: 'unknown', reason: 'reset' }), 'uncertain')
      assert.equal(await hasty.settleFlight(await fly(hasty, 't1'), { kind: 'unknown', reason: 'reset' }), 'reauth')
      assert.deepEqual(await tokensOf(store), ['twice token'])

      await active(store, 'unfit', 'x1')
      const unfit = { kind: 'unfit', reason: 'another subject', sealedToken: Buffer.from('unfit token') } as const
      assert.equal(await store.settleFlight(await fly(store, 'x1'), unfit), 'reauth')
      assert.deepEqual(await tokensOf(store), ['unfit token'])

      await active(store, 'unsent', 'n1')
      for (let times = 0; times < 3; times += 1) {
        assert.equal(await hasty.settleFlight(await fly(hasty, 'n1'), { kind: 'unsent', reason: 'refused' }), 'uncertain', 'it costs no attempt')
      }
    })

    test('its owner ends it with any of its handles', async (t) => {
      const { store } = await fresh(t)
      await active(store)
      await land(store, 'h1', 'h2')
      assert.deepEqual(await store.end('h1', bot), { kind: 'ended', session: 's1' })
      assert.deepEqual(await store.end('h2', bot), { kind: 'over', session: 's1' })
      assert.deepEqual(await store.end('none', bot), { kind: 'unknown' })
    })

    test('sessions are found, listed and revoked by when they were opened', async (t) => {
      const { store } = await fresh(t)
      await active(store, 's1', 'h1')
      await active(store, 's2', 'h2')
      await open(store, 's3', undefined, 'other')
      await store.revoke('s2', 'x')
      assert.deepEqual((await store.list({}, 10)).map(({ id }) => id).sort(), ['s1', 's2', 's3'])
      assert.deepEqual((await store.list({ isLive: true }, 10)).map(({ id }) => id).sort(), ['s1', 's3'])
      assert.deepEqual(
        (await store.list({ agent: agentName('other') }, 10)).map(({ id }) => id),
        ['s3'],
      )
      assert.equal((await store.list({}, 2)).length, 2)
      const openedAt = (await store.find('s3'))?.openedAt ?? 0
      assert.deepEqual(await store.revokeIssuedBefore(0, 'x'), [])
      assert.deepEqual((await store.revokeIssuedBefore(openedAt + 1, 'leaked')).map(({ id }) => id).sort(), ['s1', 's3'])
      assert.deepEqual(await store.revokeIssuedBefore(openedAt + 1, 'leaked'), [])
      assert.equal((await store.find('s1'))?.reason, 'leaked')
      assert.equal(await store.find('none'), undefined)
    })

    test('a quarantined session tells its agent to log in, and can still be revoked', async (t) => {
      const { store } = await fresh(t)
      await active(store)
      assert.equal(await store.quarantine('s1', 'breached'), 'done')
      assert.equal(await store.quarantine('s1', 'breached'), 'already')
      assert.equal((await store.gate('h1', bot)).kind, 'login-required')
      assert.deepEqual(await tokensOf(store), ['s1 token'])
      assert.equal(await store.revoke('s1', 'x'), 'done')
    })

    test('what is past its end is over before anyone sweeps, and a shortened lifetime counts', async (t) => {
      const { store, again } = await fresh(t)
      await active(store)
      const short = await again({ lifetimeMs: 0 })
      assert.equal((await short.gate('h1', bot)).kind, 'over')
      assert.deepEqual(await store.expire(10), [])
      assert.deepEqual(
        (await short.expire(10)).map(({ id }) => id),
        ['s1'],
      )
      assert.equal((await store.gate('h1', bot)).kind, 'over')
    })

    test('an orphan goes to one at a time, and is gone when it is forgotten', async (t) => {
      const { store, again } = await fresh(t)
      for (let index = 0; index < 6; index += 1) {
        await active(store, `s${index}`, `h${index}`)
        await store.revoke(`s${index}`, 'x')
      }
      const other = await again()
      const taken = (await Promise.all([store.takeOrphans(4), other.takeOrphans(4)])).flat()
      assert.equal(new Set(taken.map(({ key }) => key)).size, taken.length)
      for (const { key, offers } of [...taken, ...(await store.takeOrphans(10))]) {
        assert.equal(offers, 1)
        await store.forgetOrphan(key)
      }
      assert.deepEqual(await store.takeOrphans(10), [], 'those that were taken rest')
    })

    test('[S5] twenty refreshes at once over two nodes, in real time: one request, one successor', async (t) => {
      const { store, again } = await fresh(t)
      await open(store, 's1 sealed')
      let requests = 0
      const provider: IdentityProvider = {
        refresh: async () => {
          requests += 1
          await timerPause(30)
          return { kind: 'refreshed', tokens: { refreshToken: `token ${requests}`, scopes: undefined, identity: undefined } }
        },
        revoke: async () => true,
      }
      const nodes = [sessionsOn(store, provider), sessionsOn(await again(), provider)]
      const [first, second] = [nodes[0] ?? never(), nodes[1] ?? never()]
      const claimed = await first.claim(() => bot, Date.now() + 10_000)
      assert.ok(!('kind' in claimed))
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? first : second).refresh(claimed.handle, () => bot, Date.now() + 10_000)),
      )
      assert.equal(new Set(answers.map((answer) => ('kind' in answer ? answer.problem.code : answer.handle))).size, 1)
      assert.ok(answers.every((answer) => !('kind' in answer)))
      assert.equal(requests, 1)
      await Promise.all(nodes.map((node) => node.close()))
    })

    test('[S10] what it has promised survives a process that is killed', async (t) => {
      const { store, place } = await fresh(t)
      await active(store)
      const child = spawn(process.execPath, [join(import.meta.dirname, 'children/session-store-child.ts'), kind, place, 'h1'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let last = 'h1'
      for await (const line of createInterface({ input: child.stdout })) {
        last = line
        if (line === 'h30') child.kill('SIGKILL') // what it promised until it was dead is read too
      }
      const verdict = await store.gate(last, bot)
      // Its own handle is the current one, or the one before when the next had landed and nobody was told.
      assert.ok(['fly', 'wait', 'answer'].includes(verdict.kind), verdict.kind)
      assert.ok(((await store.find('s1'))?.generation ?? 0) >= 30)
    })
  })
}

function sessionsOn(store: SessionStore, provider: IdentityProvider): Sessions {
  let entries = 0
  return new Sessions(
    {
      store,
      provider,
      seal,
      log: new SessionLog(async () => (entries += 1), assert.ifError),
      lineage: { descends: async () => false },
      mint: async ({ session, generation }) => `ticket ${session} ${generation}`,
      now: Date.now,
      pause: timerPause,
      random: randomBytes,
      refuse: () => undefined,
      see: () => undefined,
      ended: () => undefined,
      report: (_, error) => assert.ifError(error),
    },
    terms,
  )
}

function open(store: SessionStore, id: string, client?: SessionClient, agent = 'bot'): ReturnType<SessionStore['open']> {
  const token = id === 's1 sealed' ? seal.seal(tokenPlace(id, 1), 'token') : Buffer.from(`${id} token`)
  return store.open({ id, owner: owner(agent), issuer: 'https://idp.test', subject: 'alice', scopes: ['openid'], person: 'ops', client, sealedToken: token })
}

async function active(store: SessionStore, id = 's1', first = 'h1'): Promise<void> {
  await open(store, id)
  assert.equal(await store.claim(id, bot, handle(first)), 'claimed')
}

async function fly(store: SessionStore, digest: string): Promise<Flight> {
  const verdict: Verdict = await store.gate(digest, bot)
  assert.ok(verdict.kind === 'fly', verdict.kind)
  return verdict.flight
}

async function land(store: SessionStore, shown: string, next: string): Promise<void> {
  assert.equal(await store.commitFlight(await fly(store, shown), landed(next)), 'landed')
}

function landed(digest: string): Landed {
  return { handle: handle(digest), sealedToken: Buffer.from(`token of ${digest}`), isTokenNew: true, scopes: ['openid'] }
}

function handle(digest: string) {
  return { digest, sealed: Buffer.from(`sealed ${digest}`) }
}

function heldFlight(session: string): Flight {
  return {
    session,
    owner: owner('bot'),
    generation: 1,
    fence: 99,
    sealedToken: Buffer.from('x'),
    isProbe: false,
    issuer: 'https://idp.test',
    subject: 'alice',
    scopes: [],
  }
}

/** Takes and forgets what waits to be given back. */
async function tokensOf(store: SessionStore): Promise<string[]> {
  const taken = await store.takeOrphans(100)
  for (const { key } of taken) await store.forgetOrphan(key)
  return taken.map(({ sealed }) => text(sealed))
}

function text(sealed: Uint8Array): string {
  return Buffer.from(sealed).toString()
}

function never(): never {
  throw new TypeError('it has not started')
}

describe('a PostgreSQL that fails', () => {
  const isFault = (outcome: Fault['outcome']) => (error: unknown) => error instanceof Fault && error.outcome === outcome

  test('one that is not there is a fault, soon', async () => {
    await assert.rejects(openSessionStore('postgres', 'postgres://nobody@127.0.0.1:1/none', terms), isFault('not-done'))
  })

  test('two gateways that start at once bring one database up to date', async () => {
    const place = await (postgres ?? never()).createDatabase()
    for (const opened of await Promise.all([1, 2, 3].map(() => openSessionStore('postgres', place, terms)))) await opened.close()
  })

  test('one that a newer version has made is left alone', async () => {
    const place = await (postgres ?? never()).createDatabase()
    await (await openSessionStore('postgres', place, terms)).close()
    const other = new pg.Client({ connectionString: place })
    await other.connect()
    await other.query('UPDATE sallyport_schema SET steps = steps + 1')
    await other.end()
    await assert.rejects(openSessionStore('postgres', place, terms), isFault('not-done'))
  })

  test('one that cuts every connection fails what is under way, and serves again', async (t) => {
    const place = await (postgres ?? never()).createDatabase()
    const opened = await openSessionStore('postgres', place, terms)
    t.after(() => opened.close())
    await active(opened.store)
    const release = await drivers.postgres.lock(place, 's1')
    const waiting = opened.store.gate('h1', bot)
    const failed = assert.rejects(waiting, isFault('not-done'))
    const other = new pg.Client({ connectionString: place })
    await other.connect()
    for (let cut = 0; cut === 0;) {
      const found = await other.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sallyport' AND wait_event_type = 'Lock'`,
      )
      cut = found.rowCount ?? 0
    }
    await other.end()
    await failed
    await release()
    assert.equal((await opened.store.gate('h1', bot)).kind, 'fly')
  })
})
