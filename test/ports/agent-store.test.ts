import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test, type TestContext } from 'node:test'
import { parseAgentName, parseTenantName, parseThumbprint, type Thumbprint } from '@sallyport/contract'
import { lineageKeptMs, type AgentKey, type AgentStore, type NewCertificate } from '../../packages/gateway/src/control/authority/agent-store.ts'
import { openAgentStore } from '../fixtures/agent-stores.ts'
import { startPostgres, type RunningPostgres } from '../fixtures/postgres.ts'

let postgres: RunningPostgres | undefined
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres?.stop())

/** Every driver passes the same suite: where a fresh store can be. */
const drivers: Readonly<Record<string, (t: TestContext) => Promise<string>>> = {
  sqlite: async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-agents-'))
    t.after(() => rmSync(folder, { recursive: true }))
    return folder
  },
  postgres: async () => await (postgres ?? never()).createDatabase(),
}

const bot = key('acme', 'bot')
const sameNameElsewhere = key('globex', 'bot')
const root = thumbprint('root')
const hour = 3_600_000

for (const [driver, freshPlace] of Object.entries(drivers)) {
  describe(`agent store on ${driver}`, () => {
    const fresh = async (t: TestContext): Promise<AgentStore & { reopen(): Promise<AgentStore> }> => {
      const place = await freshPlace(t)
      let opened = await openAgentStore(driver, place)
      t.after(() => opened.close())
      return Object.assign(opened.store, {
        reopen: async () => {
          await opened.close()
          opened = await openAgentStore(driver, place)
          return opened.store
        },
      })
    }

    test('registers once, per tenant, and remembers', async (t) => {
      const store = await fresh(t)
      assert.equal(await store.registerAgent(bot, 1), 'registered')
      assert.equal(await store.registerAgent(bot, 2), 'exists')
      assert.equal(await store.registerAgent(sameNameElsewhere, 3), 'registered')
      const expected = [
        { ...bot, standing: 'active', registeredAtMs: 1 },
        { ...sameNameElsewhere, standing: 'active', registeredAtMs: 3 },
      ]
      assert.deepEqual(await store.agents(), expected)
      assert.deepEqual(await (await store.reopen()).agents(), expected)
    })

    test('a token works once, before its end, for its own agent alone', async (t) => {
      const store = await fresh(t)
      assert.equal(await store.keepToken(bot, 'a', 100), 'unknown-agent')
      await store.registerAgent(bot, 0)
      await store.registerAgent(sameNameElsewhere, 0)
      assert.equal(await store.keepToken(bot, 'a', 100), 'kept')
      assert.deepEqual(await store.findToken('a', 99), bot)
      assert.equal(await store.findToken('a', 100), undefined)
      assert.equal(await store.findToken('b', 0), undefined)

      assert.equal(await store.enrol('a', certificate(sameNameElsewhere, 'c1', 50)), 'refused')
      assert.equal(await store.enrol('a', certificate(bot, 'c1', 100)), 'refused')
      assert.equal(await store.enrol('b', certificate(bot, 'c1', 50)), 'refused')
      assert.deepEqual(await store.certificates(bot), [], 'a refusal records nothing')
      assert.equal(await store.enrol('a', certificate(bot, 'c1', 99)), 'recorded')
      assert.equal(await store.enrol('a', certificate(bot, 'c2', 99)), 'refused')
      assert.equal(await store.findToken('a', 99), undefined)
      assert.deepEqual(await store.certificates(sameNameElsewhere), [])
    })

    test('a certificate that cannot be recorded leaves its token unused', async (t) => {
      const store = await fresh(t)
      await enrolled(store, bot, 'c1')
      await store.keepToken(bot, 'second', 100)
      await assert.rejects(store.enrol('second', certificate(bot, 'c1', 1)))
      assert.deepEqual(await store.findToken('second', 1), bot)
    })

    test('renewal needs a certificate of the same agent that still counts, and keeps the lineage', async (t) => {
      const store = await fresh(t)
      await enrolled(store, bot, 'c1')
      await enrolled(store, sameNameElsewhere, 'x1')
      assert.equal(await store.renew(thumbprint('x1'), certificate(bot, 'c2', 10), 8), 'refused')
      assert.equal(await store.renew(thumbprint('none'), certificate(bot, 'c2', 10), 8), 'refused')
      assert.equal(await store.renew(thumbprint('c1'), certificate(bot, 'c2', 12 * hour + 1), 8), 'refused', 'past its end')
      assert.equal(await store.renew(thumbprint('c1'), certificate(bot, 'c2', 12 * hour), 8), 'recorded', 'at its end')
      assert.equal(await store.renew(thumbprint('c2'), certificate(bot, 'c3', 12 * hour), 3), 'recorded')
      assert.equal(await store.renew(thumbprint('c3'), certificate(bot, 'c4', 12 * hour), 3), 'too-many')
      const lineage = (await (await store.reopen()).certificates(bot)).map((found) => [found.thumbprint, found.previous])
      assert.deepEqual(
        new Map(lineage.map(([own, previous]) => [own, previous])),
        new Map([
          [thumbprint('c1'), undefined],
          [thumbprint('c2'), thumbprint('c1')],
          [thumbprint('c3'), thumbprint('c2')],
        ]),
      )
    })

    test('revoking an agent revokes all it has, and reinstating brings nothing back', async (t) => {
      const store = await fresh(t)
      assert.equal(await store.revokeAgent(bot, 5), 'unknown-agent')
      await enrolled(store, bot, 'c1')
      await store.keepToken(bot, 'next', 1000)
      const revoked = [{ thumbprint: thumbprint('c1'), notAfterMs: 12 * hour }]
      assert.deepEqual(await store.revokeAgent(bot, 5), revoked)
      assert.deepEqual(await store.revokeAgent(bot, 6), revoked, 'again')
      assert.equal(await store.findToken('next', 5), undefined)
      assert.equal(await store.keepToken(bot, 'later', 1000), 'agent-revoked')
      assert.equal(await store.renew(thumbprint('c1'), certificate(bot, 'c2', 7), 8), 'refused')

      assert.equal(await store.reinstateAgent(bot), 'reinstated')
      assert.equal(await store.reinstateAgent(bot), 'not-revoked')
      assert.equal(await store.renew(thumbprint('c1'), certificate(bot, 'c2', 7), 8), 'refused')
      const again = await store.reopen()
      const state = await again.rosterState(8)
      assert.deepEqual(state.revokedCertificates, revoked)
      assert.deepEqual(
        state.agents.map(({ standing }) => standing),
        ['active'],
      )
      assert.deepEqual((await again.rosterState(12 * hour + 1)).revokedCertificates, [], 'its end keeps it out')
    })

    test('one certificate can be revoked, by the tenant and agent it belongs to', async (t) => {
      const store = await fresh(t)
      await enrolled(store, bot, 'c1')
      assert.equal(await store.revokeCertificate(sameNameElsewhere, thumbprint('c1'), 5), 'unknown-certificate')
      assert.deepEqual(await store.revokeCertificate(bot, thumbprint('c1'), 5), { notAfterMs: 12 * hour })
      await store.revokeCertificate(bot, thumbprint('c1'), 9)
      assert.deepEqual(
        (await store.certificates(bot)).map(({ revokedAtMs }) => revokedAtMs),
        [5],
      )
      assert.equal(await store.countLive(root, 6), 0)
    })

    test('after distrust nothing counts and no token works', async (t) => {
      const store = await fresh(t)
      await enrolled(store, bot, 'c1')
      await store.keepToken(bot, 'next', 1000)
      assert.equal(await store.countLive(root, 5), 1)
      await store.distrustAll(5)
      assert.equal(await store.countLive(root, 5), 0)
      assert.equal(await store.findToken('next', 5), undefined)
      assert.equal((await store.rosterState(5)).revokedCertificates.length, 1)
      assert.equal((await store.agents())[0]?.standing, 'active')
    })

    test('blocks are set, listed and lifted, each in its own reach', async (t) => {
      const store = await fresh(t)
      const blocks = [{ scope: 'all' }, { scope: 'tenant', tenant: bot.tenant }, { scope: 'agent', ...bot }] as const
      for (const block of blocks) assert.equal(await store.setBlock(block, 1), 'set')
      assert.equal(await store.setBlock(blocks[1], 2), 'already-set')
      const again = await store.reopen()
      assert.deepEqual((await again.rosterState(0)).blocks, blocks)
      assert.equal(await again.liftBlock({ scope: 'agent', ...sameNameElsewhere }), 'not-set')
      for (const block of blocks) assert.equal(await again.liftBlock(block), 'lifted')
      assert.deepEqual((await again.rosterState(0)).blocks, [])
    })

    test('lineage is forgotten only long after its end', async (t) => {
      const store = await fresh(t)
      await enrolled(store, bot, 'c1')
      const later = async (name: string, atMs: number): Promise<number> => {
        await store.keepToken(bot, name, atMs + 1)
        assert.equal(await store.enrol(name, certificate(bot, name, atMs)), 'recorded')
        return (await store.certificates(bot)).length
      }
      assert.equal(await later('c2', 12 * hour + lineageKeptMs), 2)
      assert.equal(await later('c3', 12 * hour + lineageKeptMs + 1), 2)
    })

    test('killed at any moment, it reopens with everything it had promised', { timeout: 60_000 }, async (t) => {
      const place = await freshPlace(t)
      for (const stopAfter of [1, 7, 23]) {
        const promised = await runUntilKilled(driver, place, `run${stopAfter}`, stopAfter)
        const { store, close } = await openAgentStore(driver, place)
        const agents = new Map((await store.agents()).map((agent) => [agent.agent as string, agent.standing]))
        for (const name of promised) {
          assert.equal(agents.get(name), 'revoked', name)
          assert.equal((await store.certificates(key('acme', name))).length, 1)
          assert.equal(await store.findToken(name, 0), undefined, 'the token is used up')
        }
        // What was cut off in the middle is whole or absent: a token and its certificate never exist together.
        for (const name of agents.keys()) {
          const issued = (await store.certificates(key('acme', name))).length
          assert.ok(issued === 0 || (await store.findToken(name, 0)) === undefined, name)
        }
        await close()
      }
    })

    test('of two processes with one token, one enrols', { timeout: 60_000 }, async (t) => {
      const place = await freshPlace(t)
      const { store, close } = await openAgentStore(driver, place)
      const names = Array.from({ length: 30 }, (_, index) => `race${index}`)
      for (const name of names) {
        await store.registerAgent(key('acme', name), 0)
        await store.keepToken(key('acme', name), name, 1000)
      }
      const won = await Promise.all(['left', 'right'].map((side) => linesOf(child(driver, place, 'race', side))))
      assert.deepEqual(won.flat().sort(), [...names].sort())
      for (const name of names) assert.equal((await store.certificates(key('acme', name))).length, 1)
      await close()
    })
  })
}

async function enrolled(store: AgentStore, agent: AgentKey, name: string): Promise<void> {
  await store.registerAgent(agent, 0)
  await store.keepToken(agent, name, 1)
  assert.equal(await store.enrol(name, certificate(agent, name, 0)), 'recorded')
}

function certificate(agent: AgentKey, name: string, issuedAtMs: number): NewCertificate {
  return { ...agent, thumbprint: thumbprint(name), issuer: root, issuedAtMs, notAfterMs: issuedAtMs + 12 * hour }
}

function thumbprint(name: string): Thumbprint {
  return parseThumbprint(createHash('sha256').update(name).digest('base64url')) ?? never()
}

function key(tenant: string, agent: string): AgentKey {
  return { tenant: parseTenantName(tenant) ?? never(), agent: parseAgentName(agent) ?? never() }
}

function child(driver: string, place: string, ...args: string[]) {
  return spawn(process.execPath, [join(import.meta.dirname, 'children/agent-store-child.ts'), driver, place, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** The lines that the child wrote before it was killed with SIGKILL: each one a promise. */
async function runUntilKilled(driver: string, place: string, prefix: string, lines: number): Promise<string[]> {
  const process = child(driver, place, 'enrol-and-revoke', prefix)
  const promised: string[] = []
  for await (const line of createInterface(process.stdout)) {
    promised.push(line)
    if (promised.length === lines) process.kill('SIGKILL')
  }
  return promised
}

async function linesOf(process: ReturnType<typeof child>): Promise<string[]> {
  const lines: string[] = []
  for await (const line of createInterface(process.stdout)) lines.push(line)
  return lines
}

function never(): never {
  throw new Error('the test is wrong')
}
