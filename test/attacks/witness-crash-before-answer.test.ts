import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import { parseCheckpointBody, parseNote, toBase64 } from '@sallyport/contract/log'
import { disk, losses, type DiskFailure } from '../fixtures/volatile-disk.ts'

const { openStore } = await import('../../packages/witness/src/store-folder.ts')
const { Witness } = await import('../../packages/witness/src/witness.ts')
const { makeWitness, readWitness, witnessCrypto, witnessPlaces } = await import('../../packages/witness/src/witness-folder.ts')
const { SmallLog } = await import('../fixtures/small-log.ts')
type SmallLog = InstanceType<typeof SmallLog>

const honest = new SmallLog('log.example/one').grow(20)
const lie = honest.fork(10).grow(10, 'lie')
const never = 0

type Then = 'goes on' | 'is killed' | `loses power, and ${(typeof losses)[number]}`

interface Statement {
  readonly size: number
  readonly root: string
}

/** A witness on a disk whose `failAt`-th call fails. */
class Trial {
  readonly #base = mkdtempSync(join(tmpdir(), 'sallyport-witness-'))
  #folder = join(this.#base, 'first')
  /** Calls of the disk until now, those of disks that were lost included. */
  #callsBefore = 0
  readonly #failAt: number
  readonly #failure: DiskFailure
  /** Everything that anyone was ever told, in order. */
  readonly statements: Statement[] = []
  #open: { readonly witness: InstanceType<typeof Witness>; readonly close: () => void } | undefined

  constructor(failAt: number, failure: DiskFailure) {
    this.#failAt = failAt
    this.#failure = failure
    mkdirSync(this.#folder)
  }

  get calls(): number {
    return this.#callsBefore + disk.calls
  }

  async init(): Promise<void> {
    await makeWitness(this.#folder, 'witness.example/w1', [])
    disk.watch(this.#folder, this.#failAt, this.#failure)
  }

  async start(): Promise<void> {
    const { key, sign } = await readWitness(this.#folder)
    const store = await openStore(witnessPlaces(this.#folder).state).catch(onlyFault)
    if (!store) return
    const witness = new Witness({ key, sign, logs: [honest.key], store, crypto: witnessCrypto, now: Date.now, onFork: () => undefined })
    this.#open = { witness, close: () => store.close() }
  }

  stop(): void {
    this.#open?.close()
    this.#open = undefined
  }

  /** What the disk has then is all there is. */
  losePower(loss: (typeof losses)[number]): void {
    this.stop()
    const after = join(this.#base, `after-${this.calls}-${this.statements.length}`)
    mkdirSync(after)
    disk.recoverInto(after, loss)
    this.#callsBefore += disk.calls
    disk.watch(after, this.#failure === 'power cut' || this.#failAt <= this.#callsBefore ? never : this.#failAt - this.#callsBefore, this.#failure)
    this.#folder = after
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
    this.stop()
    disk.unwatch()
    rmSync(this.#base, { recursive: true, force: true })
  }
}

function onlyFault(error: unknown): undefined {
  if (!(error instanceof Fault)) throw error
}

async function run(failAt: number, failure: DiskFailure, then: Then): Promise<{ calls: number; statements: readonly Statement[] }> {
  using trial = new Trial(failAt, failure)
  await trial.init()
  await trial.start()
  await trial.submit(honest, 0, 10)
  await trial.submit(honest, 0, 10) // repeated by a log that got no answer
  await trial.look()
  await trial.submit(honest, 10, 20)
  if (then === 'is killed') trial.stop()
  const loss = losses.find((one) => then.endsWith(one))
  if (loss) trial.losePower(loss)
  if (then !== 'goes on') await trial.start()
  // The attacker comes first, then a monitor, then the honest log.
  await trial.submit(lie, 10, 20)
  await trial.look()
  await trial.submit(honest, 10, 20)
  trial.losePower('all that was not synced')
  await trial.start()
  await trial.submit(honest, 0, 20) // where it had not started before
  await trial.submit(honest, 10, 20)
  await trial.submit(lie, 10, 15)
  await trial.look()
  return { calls: trial.calls, statements: trial.statements }
}

const scenes: readonly (readonly [DiskFailure, Then])[] = [
  ...(['not done', 'done', 'half done'] as const).flatMap((failure) =>
    (['goes on', 'is killed', 'loses power, and all that was not synced'] as const).map((then) => [failure, then] as const),
  ),
  ...losses.map((loss) => ['power cut', `loses power, and ${loss}`] as const),
]

for (const [failure, then] of scenes) {
  test(`whichever system call of a witness fails (${failure}) and it ${then}, nobody is ever shown two histories, or an older one than before [L5]`, async () => {
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
    assert.ok(trials >= 10, `${trials} trials`)
  })
}
