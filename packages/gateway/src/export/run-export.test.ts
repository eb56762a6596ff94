import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Fault } from '@sallyport/contract'
import { newSigner, temporaryFolder, writeLog } from '../../../../test/fixtures/log-folder.ts'
import { cursorFile } from '../drivers/export/cursor-files.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import type { CursorStore, Destination } from './destination.ts'
import { jsonLine } from './jsonl.ts'
import { exportBatchEntries, RunningExport, unconfirmedEntriesMax } from './run-export.ts'

type Step = 'send' | 'confirm' | 'keep'

/** A destination that keeps all it was ever handed, and the cursor file, each of which fails where the test says: before it has done its work, or after. */
class Arrivals {
  readonly indexes: number[] = []
  readonly steps: Step[] = []
  readonly #fails: (step: Step, number: number) => 'before' | 'after' | undefined
  readonly #counts = new Map<Step, number>()
  onStep: () => void = () => undefined

  constructor(fails: (step: Step, number: number) => 'before' | 'after' | undefined = () => undefined) {
    this.#fails = fails
  }

  readonly destination: Destination = {
    confirmAfterMs: 0,
    send: (messages) => this.#step('send', async () => void this.indexes.push(...messages.map((message) => Number(/"index":([0-9]+)/.exec(message)?.[1])))),
    confirm: () => this.#step('confirm', async () => undefined),
    close: () => undefined,
  }

  cursors(store: CursorStore): CursorStore {
    return { read: () => store.read(), keep: (cursor) => this.#step('keep', () => store.keep(cursor)) }
  }

  async #step(step: Step, work: () => Promise<void>): Promise<void> {
    const number = (this.#counts.get(step) ?? 0) + 1
    this.#counts.set(step, number)
    this.steps.push(step)
    const fails = this.#fails(step, number)
    if (fails === 'before') throw new Fault(`${step} ${number} fails`, 'not-done')
    await work()
    this.onStep()
    if (fails === 'after') throw new Fault(`${step} ${number} fails`, 'unknown')
  }
}

/** Runs until everything has arrived and is known to, then stops. */
async function runToEnd(folder: string, arrivals: Arrivals, size: number): Promise<{ state: RunningExport['state']; reported: string[] }> {
  const reported: string[] = []
  const stop = new AbortController()
  const one = new RunningExport({
    view: viewLogFolder(join(folder, 'log')),
    destination: arrivals.destination,
    cursors: arrivals.cursors(cursorFile(join(folder, 'exports'), 'siem')),
    format: jsonLine,
    exporter: { log: 'test/log', host: 'gate', version: '0.1.0' },
    now: Date.now,
    random: () => 0,
    report: (error) => void reported.push(String(error)),
  })
  const running = one.run(stop.signal)
  while (one.state.next < size || one.state.failure !== undefined) await new Promise((resolve) => setTimeout(resolve, 5))
  stop.abort()
  await running
  return { state: one.state, reported }
}

async function logOf(t: TestContext, size: number): Promise<{ folder: string; more: (to: number) => Promise<void> }> {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(join(folder, 'log'), signer, 0, size)
  return { folder, more: (to) => writeLog(join(folder, 'log'), signer, size, to) }
}

const upTo = (size: number): readonly number[] => Array.from({ length: size }, (_, index) => index)

test('every entry arrives once and in order, and after a stop the rest arrives', async (t) => {
  const size = exportBatchEntries * 2 + 3
  const { folder, more } = await logOf(t, size)
  const first = new Arrivals()
  const { state } = await runToEnd(folder, first, size)
  assert.deepEqual(first.indexes, upTo(size))
  assert.deepEqual([state.next, state.lagEntries, state.lagMs, state.failures, state.failure], [size, 0, 0, 0, undefined])
  await more(size + 2)
  const second = new Arrivals()
  await runToEnd(folder, second, size + 2)
  assert.deepEqual(second.indexes, [size, size + 1])
})

for (const step of ['send', 'confirm', 'keep'] as const) {
  for (const when of ['before', 'after'] as const) {
    const isKept = step === 'keep' && when === 'after'
    test(`a fault ${when} the work of "${step}" makes duplicates at most, and never a gap`, async (t) => {
      const size = exportBatchEntries + 2
      const { folder } = await logOf(t, size)
      const arrivals = new Arrivals((at, number) => (at === step && number === 1 ? when : undefined))
      const { state, reported } = await runToEnd(folder, arrivals, size)
      assert.deepEqual([...new Set(arrivals.indexes)], upTo(size))
      assert.equal(state.failures, 1)
      assert.deepEqual([state.failure, state.lagMs], [undefined, 0])
      assert.equal(reported.length, 1)
      // Of what the cursor file holds in spite of the fault, nothing is sent again.
      if (isKept) assert.deepEqual(arrivals.indexes, upTo(size))
      else if (step !== 'send' || when === 'after') assert.ok(arrivals.indexes.length > size, 'what was not known to have arrived is sent again')
    })
  }
}

test('a process that ends between the sending and the cursor sends the same again after its start', async (t) => {
  const { folder } = await logOf(t, 10)
  const first = new Arrivals(() => undefined)
  const stop = new AbortController()
  const one = new RunningExport({
    view: viewLogFolder(join(folder, 'log')),
    destination: { ...first.destination, confirm: () => new Promise(() => undefined) }, // the process ends here: nothing more happens
    cursors: cursorFile(join(folder, 'exports'), 'siem'),
    format: jsonLine,
    exporter: { log: 'test/log', host: 'gate', version: '0.1.0' },
    now: Date.now,
    random: () => 0,
    report: () => undefined,
  })
  const { promise: sent, resolve } = Promise.withResolvers<void>()
  first.onStep = resolve
  void one.run(stop.signal)
  await sent
  const second = new Arrivals()
  await runToEnd(folder, second, 10)
  assert.deepEqual([first.indexes, second.indexes], [upTo(10), upTo(10)])
})

test('an export that is stopped confirms what it has sent, so that nothing of it is sent again', async (t) => {
  const { folder } = await logOf(t, 10)
  const first = new Arrivals()
  const stop = new AbortController()
  const one = new RunningExport({
    view: viewLogFolder(join(folder, 'log')),
    destination: { ...first.destination, confirmAfterMs: 60_000 },
    cursors: cursorFile(join(folder, 'exports'), 'siem'),
    format: jsonLine,
    exporter: { log: 'test/log', host: 'gate', version: '0.1.0' },
    now: Date.now,
    random: () => 0,
    report: () => undefined,
  })
  first.onStep = () => stop.abort()
  await one.run(stop.signal)
  assert.deepEqual([first.steps, one.state.next], [['send', 'confirm'], 10])
  assert.equal((await cursorFile(join(folder, 'exports'), 'siem').read())?.next, 10)
})

test('no more entries wait for their confirmation than the bound says', async (t) => {
  const size = unconfirmedEntriesMax + exportBatchEntries
  const { folder } = await logOf(t, size)
  const arrivals = new Arrivals()
  await runToEnd(folder, arrivals, size)
  const sends = arrivals.steps.indexOf('confirm')
  assert.equal(sends, Math.ceil(unconfirmedEntriesMax / exportBatchEntries))
})
