import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault, problemDocument, type Problem } from '@sallyport/contract'
import { HandClock } from '../../../../test/fixtures/hand-clock.ts'
import { ticketBench, type TicketBench } from '../../../../test/fixtures/tickets.ts'
import { keepSession, sessionKeepingLimits, type KeptSession, type SessionTrouble } from './keep-session.ts'
import type { SessionGranted } from './session-calls.ts'
import { heldSession, sessionInFolder, type SessionStore } from './session-files.ts'

const newHandle = (): string => randomBytes(32).toString('base64url')

/** A gateway's side of one session: the handle that counts, and the one before, which is answered the same until its successor is used. */
class Stand {
  readonly clock = new HandClock(1_000_000)
  readonly asked: string[] = []
  readonly told: SessionTrouble[] = []
  readonly obtained: string[] = []
  random = 0.5
  answer: ((handle: string) => Promise<SessionGranted>) | undefined
  handle = newHandle()
  catchUp: () => Promise<void> = async () => undefined
  #before: { readonly handle: string; readonly granted: SessionGranted } | undefined
  readonly #bench: TicketBench

  readonly directory: string
  readonly store: SessionStore
  certificate: string

  constructor(bench: TicketBench, directory: string) {
    this.#bench = bench
    this.directory = directory
    this.store = sessionInFolder(directory)
    this.certificate = bench.bot.thumbprint
  }

  async grant(handle: string, lifetimeMs = 300_000): Promise<SessionGranted & { kind: 'granted' }> {
    const issuedAt = 1_700_000_000_000 + this.asked.length * 1000 // of the gateway's clock, which is another
    const thumbprint = this.certificate as TicketBench['bot']['thumbprint'] // of a test certificate
    const ticket = await this.#bench.mint({ thumbprint, issuedAt, expiresAt: issuedAt + lifetimeMs })
    const at = new Date(issuedAt).toISOString()
    return { kind: 'granted', grant: { session: 's', handle, ticket, ticketExpiresAt: at, sessionExpiresAt: at } }
  }

  /** As the gateway answers: each handle once, the one before again the same. */
  async refresh(handle: string): Promise<SessionGranted> {
    this.asked.push(handle)
    if (this.answer) return this.answer(handle)
    if (this.#before?.handle === handle) return this.#before.granted
    assert.equal(handle, this.handle)
    this.handle = newHandle()
    const granted = await this.grant(this.handle)
    this.#before = { handle, granted }
    return granted
  }

  async claim(): Promise<string> {
    const { grant } = await this.grant(this.handle)
    await this.store.underLock(() => this.store.keep(heldSession(grant, this.clock.now())))
    return grant.ticket
  }

  open(): KeptSession {
    return keepSession({
      store: this.store,
      clock: this.clock,
      random: () => this.random,
      certificate: () => this.certificate,
      refresh: (handle) => this.refresh(handle),
      catchUp: () => this.catchUp(),
      obtained: (certificate) => void this.obtained.push(certificate),
      report: (trouble) => void this.told.push(trouble),
    })
  }
}

async function stand(t: TestContext): Promise<Stand> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-session-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 })) // a refresh may still be writing
  return new Stand(await ticketBench(), directory)
}

/** Lets what was begun, files included, come to an end. */
async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 1))
}

const refusedAs = (problem: Problem) => async (): Promise<SessionGranted> => ({ kind: 'refused', problem: problemDocument(problem, 'x') })

test('a ticket is shown as long as it is fresh, and replaced at 60 to 80 % of its life, by its length and not by the clocks', async (t) => {
  for (const [random, share] of [
    [0, 0.6],
    [0.999, 0.8],
  ] as const) {
    const side = await stand(t)
    side.random = random
    const first = await side.claim()
    const session = side.open()
    assert.equal(await session.ticketFor(side.certificate), first)
    assert.equal(side.asked.length, 0)
    const dueMs = 1_000_000 + 299_000 * share
    for (let atMs = 1_060_000; atMs < dueMs - 1_000; atMs += 60_000) {
      side.clock.moveTo(atMs)
      assert.equal(await session.ticketFor(side.certificate), first)
      await until(() => side.clock.nextAtMs !== undefined)
    }
    assert.equal(side.asked.length, 0)
    side.clock.moveTo(dueMs + 1)
    await until(() => side.asked.length === 1 && side.clock.nextAtMs !== undefined)
    const second = await session.ticketFor(side.certificate)
    assert.ok(second !== undefined && second !== first)
    assert.equal((await side.store.load())?.handle, side.handle)
    session.stop()
  }
})

test('calls at the same time share one refresh, also those of several processes', async (t) => {
  const side = await stand(t)
  await side.claim()
  side.clock.moveTo(side.clock.now() + 400_000) // asleep past the end of the ticket
  const processes = [side.open(), side.open(), side.open()]
  const tickets = await Promise.all(processes.flatMap((process) => Array.from({ length: 5 }, () => process.ticketFor(side.certificate))))
  assert.equal(new Set(tickets).size, 1)
  assert.notEqual(tickets[0], undefined)
  assert.equal(side.asked.length, 1)
  for (const process of processes) process.stop()
})

test('[S1] an answer that is lost on the way is asked for again with the same handle, and nothing is used before it is stored', async (t) => {
  const side = await stand(t)
  await side.claim()
  side.clock.moveTo(side.clock.now() + 400_000)
  const { handle } = (await side.store.load()) ?? { handle: '' }
  const lost = side.refresh.bind(side)
  let isLost = true
  side.refresh = async (shown) => {
    const granted = await lost(shown)
    if (isLost) throw new Fault('the connection broke off', 'unknown')
    assert.equal((await side.store.load())?.handle, handle, 'the old handle is stored until there is an answer')
    return granted
  }
  const session = side.open()
  assert.equal(await session.ticketFor(side.certificate), undefined)
  assert.deepEqual([side.asked, side.told.length], [[handle], 1])
  isLost = false
  side.clock.moveTo(side.clock.now() + 2_000)
  await until(() => session.holds(side.certificate))
  assert.deepEqual(side.asked, [handle, handle])
  const held = await side.store.load()
  assert.equal(held?.handle, side.handle)
  assert.equal(await session.ticketFor(side.certificate), held.ticket)
  session.stop()
})

test('failures are tried again later and later, never before the gateway said, and told once', async (t) => {
  const side = await stand(t)
  await side.claim()
  side.clock.moveTo(side.clock.now() + 400_000)
  side.answer = refusedAs({ code: 'session.provider-unavailable', retryAfterSeconds: 30 })
  const session = side.open()
  const tries: number[] = []
  for (let more = 1; more <= 8; more += 1) {
    await until(() => side.asked.length === more && side.clock.nextAtMs !== undefined)
    tries.push(side.clock.now())
    // A call in between has no ticket and asks nothing.
    assert.equal(await session.ticketFor(side.certificate), undefined)
    assert.equal(side.asked.length, more)
    if (more === 2) side.answer = () => Promise.reject(new Fault('unreachable', 'not-done'))
    while (side.asked.length === more) {
      side.clock.moveTo(side.clock.nextAtMs ?? side.clock.now())
      await until(() => side.asked.length > more || (side.clock.nextAtMs ?? 0) > side.clock.now())
    }
  }
  const waits = tries.slice(1).map((at, index) => at - (tries[index] ?? 0))
  assert.ok(
    waits.slice(0, 2).every((wait) => wait >= 30_000 && wait <= 40_000),
    String(waits),
  )
  assert.ok(
    waits.slice(2).every((wait, index) => wait >= Math.min(4_000 * 2 ** index, sessionKeepingLimits.retryMsMax)),
    String(waits),
  )
  assert.ok(waits.every((wait) => wait <= sessionKeepingLimits.retryMsMax * 1.25))
  assert.equal(side.told.length, 1)
  session.stop()
})

for (const code of ['session.login-required', 'session.invalid', 'session.stale-handle', 'session.none'] as const) {
  test(`after ${code} the handle is not sent again, it is said once, and a session that is claimed anew is taken up`, async (t) => {
    const side = await stand(t)
    await side.claim()
    side.clock.moveTo(side.clock.now() + 400_000)
    side.answer = refusedAs({ code })
    const session = side.open()
    for (let at = 0; at < 5; at += 1) {
      assert.equal(await session.ticketFor(side.certificate), undefined)
      side.clock.moveTo(side.clock.now() + 2_000)
    }
    assert.equal(side.asked.length, 1)
    assert.deepEqual(
      side.told.map((trouble) => !(trouble instanceof Error) && trouble.code),
      [code],
    )
    side.answer = undefined
    side.handle = newHandle()
    const claimed = await side.claim()
    assert.equal(await session.ticketFor(side.certificate), claimed)
    session.stop()
  })
}

test('a live ticket goes on to its end when the session cannot', async (t) => {
  const side = await stand(t)
  const ticket = await side.claim()
  side.answer = refusedAs({ code: 'session.login-required' })
  const session = side.open()
  side.clock.moveTo(1_000_000 + 250_000)
  await until(() => side.told.length === 1)
  assert.equal(await session.ticketFor(side.certificate), ticket)
  side.clock.moveTo(1_000_000 + 299_000)
  assert.equal(await session.ticketFor(side.certificate), undefined)
  session.stop()
})

test('a ticket that the gateway refuses is replaced at once, and no more often than every ten seconds', async (t) => {
  const side = await stand(t)
  const first = await side.claim()
  const session = side.open()
  assert.equal(await session.ticketFor(side.certificate), first)
  session.doubt('another')
  assert.equal(side.asked.length, 0)
  session.doubt(first)
  const second = await session.ticketFor(side.certificate)
  assert.ok(second !== undefined && second !== first)
  session.doubt(second)
  assert.equal(await session.ticketFor(side.certificate), second)
  assert.equal(side.asked.length, 1)
  side.clock.moveTo(side.clock.now() + sessionKeepingLimits.doubtMsMin)
  session.doubt(second)
  await until(() => side.asked.length === 2)
  session.stop()
})

test('after a renewal a ticket for the new certificate is asked for, while the old one is still shown', async (t) => {
  const side = await stand(t)
  const old = side.certificate
  const first = await side.claim()
  const session = side.open()
  assert.equal(await session.ticketFor(old), first)
  const answering = Promise.withResolvers<void>()
  side.certificate = 'n'.repeat(43)
  side.answer = async () => {
    await answering.promise
    return side.grant(newHandle())
  }
  const rebound = session.rebind()
  await until(() => side.asked.length === 1)
  assert.equal(await session.ticketFor(old), first)
  answering.resolve()
  await rebound
  assert.deepEqual(side.obtained.at(-1), side.certificate)
  assert.ok(session.holds(side.certificate) && !session.holds(old))
  session.stop()
})

test('without a session nothing is asked and nothing is said', async (t) => {
  const side = await stand(t)
  const session = side.open()
  for (let at = 0; at < 3; at += 1) {
    assert.equal(await session.ticketFor(side.certificate), undefined)
    side.clock.moveTo(side.clock.now() + 60_000)
  }
  await session.rebind()
  assert.deepEqual([side.asked, side.told], [[], []])
  session.stop()
})
