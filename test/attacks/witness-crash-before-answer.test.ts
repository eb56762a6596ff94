import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { parseCheckpointBody, parseNote, toBase64 } from '@sallyport/contract/log'
import { openStore, storeCalls, type StoreCalls } from '../../packages/witness/src/store-folder.ts'
import { Witness } from '../../packages/witness/src/witness.ts'
import { makeWitness, witnessCrypto } from '../../packages/witness/src/witness-folder.ts'
import { SmallLog } from '../fixtures/small-log.ts'

type Failure = 'not done' | 'done'
type Then = 'goes on' | 'restarts' | 'loses power'

const honest = new SmallLog('log.example/one').grow(20)
const lie = honest.fork(10).grow(10, 'lie')

interface Statement {
  readonly size: number
  readonly root: string
}

/** A witness whose `failAt`-th call of the file system fails; what is on its disk after power was lost is what was synced. */
class Trial {
  readonly #base = mkdtempSync(join(tmpdir(), 'sallyport-witness-'))
  readonly #state = join(this.#base, 'state')
  readonly #synced = join(this.#base, 'synced')
  readonly #failAt: number
  readonly #failure: Failure
  calls = 0
  /** Everything that anyone was ever told, in order. */
  readonly statements: Statement[] = []
  #open: { witness: Witness; close: () => void } | undefined

  constructor(failAt: number, failure: Failure) {
    this.#failAt = failAt
    this.#failure = failure
  }

  async start(): Promise<void> {
    const { key, sign } = await makeWitness(join(this.#base, 'witness'), 'witness.example/w1', [])
    const store = await openStore(this.#state, this.#failing())
    const witness = new Witness({ key, sign, logs: [honest.key], store, crypto: witnessCrypto, now: Date.now, onFork: () => undefined })
    this.#open = { witness, close: () => store.close() }
  }

  stop(isPowerLost: boolean): void {
    this.#open?.close()
    if (!isPowerLost) return
    rmSync(this.#state, { recursive: true })
    cpSync(this.#synced, this.#state, { recursive: true })
  }

  async submit(log: SmallLog, oldSize: number, size: number): Promise<void> {
    const answered = await this.#open?.witness.add(Buffer.from(await log.submission(oldSize, size))).catch(onlyFault)
    if (answered?.status === 200) this.statements.push({ size, root: toBase64(log.root(size)) })
  }

  async look(): Promise<void> {
    const text = await this.#open?.witness.newest(honest.key.name).catch(onlyFault)
    const checkpoint = text === undefined ? undefined : parseCheckpointBody(parseNote(text)?.body ?? '')
    if (checkpoint) this.statements.push({ size: checkpoint.size, root: toBase64(checkpoint.root) })
  }

  [Symbol.dispose](): void {
    this.stop(false)
    rmSync(this.#base, { recursive: true, force: true })
  }

  #failing(): StoreCalls {
    const fail =
      <Args extends unknown[]>(act: (...args: Args) => Promise<void>) =>
      async (...args: Args): Promise<void> => {
        this.calls += 1
        if (this.calls !== this.#failAt) return act(...args)
        if (this.#failure === 'done') await act(...args)
        throw new Error('the disk failed')
      }
    return {
      write: fail(storeCalls.write),
      rename: fail(storeCalls.rename),
      syncFolder: fail(async (path) => {
        await storeCalls.syncFolder(path)
        rmSync(this.#synced, { recursive: true, force: true })
        cpSync(this.#state, this.#synced, { recursive: true, filter: (file) => !/lock|\.new$/.test(file) })
      }),
    }
  }
}

function onlyFault(error: unknown): undefined {
  if (!(error instanceof Fault)) throw error
}

async function run(failAt: number, failure: Failure, then: Then): Promise<{ calls: number; statements: readonly Statement[] }> {
  using trial = new Trial(failAt, failure)
  await trial.start()
  await trial.submit(honest, 0, 10)
  await trial.submit(honest, 0, 10) // repeated by a log that got no answer
  await trial.look()
  await trial.submit(honest, 10, 20)
  if (then !== 'goes on') {
    trial.stop(then === 'loses power')
    await trial.start()
  }
  // The attacker comes first, then a monitor, then the honest log.
  await trial.submit(lie, 10, 20)
  await trial.look()
  await trial.submit(honest, 10, 20)
  trial.stop(true)
  await trial.start()
  await trial.submit(lie, 10, 15)
  await trial.look()
  return { calls: trial.calls, statements: trial.statements }
}

for (const failure of ['not done', 'done'] as const) {
  for (const then of ['goes on', 'restarts', 'loses power'] as const) {
    test(`whichever write of a witness fails (${failure}) and it ${then}, nobody is ever shown two histories, or an older one than before [L5]`, async () => {
      let trials = 0
      for (let failAt = 1; ; failAt += 1) {
        const { calls, statements } = await run(failAt, failure, then)
        if (calls < failAt) break
        trials += 1
        const beyond = statements.filter(({ size }) => size > 10)
        const isOneHistory = [honest, lie].some((log) => beyond.every(({ size, root }) => root === toBase64(log.root(size))))
        assert.ok(isOneHistory, `call ${failAt}: ${JSON.stringify(statements)}`)
        const sizes = statements.map(({ size }) => size)
        assert.deepEqual(
          sizes,
          sizes.toSorted((one, other) => one - other),
          `call ${failAt}`,
        )
        assert.ok(sizes.includes(20), `call ${failAt}: the witness did not recover`)
      }
      assert.ok(trials >= 6, `${trials} trials`)
    })
  }
}
