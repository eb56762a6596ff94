import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { operator } from '../fixtures/operator.ts'
import { runningWitness, WitnessOnDisk } from '../fixtures/running-witness.ts'
import { SmallLog } from '../fixtures/small-log.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('a witness is made, takes on logs, runs and says what it cosigned', async () => {
  await using whole = await wholeGateway() // only its folder is used
  const data = join(whole.folder, 'witness')
  const run = (...args: readonly string[]): ReturnType<typeof operator> => operator(whole, ['witness', ...args, '--data', data])
  const log = new SmallLog('log.example/one').grow(3)
  const made = await run('init', '--name', 'witness.example/w1')
  assert.equal(made.code, 0, made.stderr)
  const vkey = made.stdout.split('\n')[0] ?? ''
  assert.match(vkey, /^witness\.example\/w1\+[0-9a-f]{8}\+B/)
  assert.match(made.stdout, /cosigns no log yet/)

  const added = JSON.parse((await run('init', '--name', 'witness.example/w1', '--log', log.vkey, '--json')).stdout)
  assert.deepEqual(added, { folder: data, vkey, logs: ['log.example/one'] })
  const again = JSON.parse((await run('init', '--name', 'witness.example/w1', '--log', log.vkey, '--json')).stdout)
  assert.deepEqual(again.logs, ['log.example/one'])
  assert.equal((await readFile(join(data, 'logs'), 'utf8')).match(/^log /gm)?.length, 1)

  assert.match((await run('status')).stdout, /log\.example\/one {2}nothing cosigned yet/)
  const witness = new WitnessOnDisk(data, 'witness.example/w1')
  await witness.start()
  await witness.add(await log.submission(0))
  const status = JSON.parse((await run('status', '--json')).stdout)
  assert.deepEqual([status.vkey, status.logs[0].origin, status.logs[0].size], [vkey, 'log.example/one', 3])
  const second = await run('up', '--listen', '127.0.0.1:0')
  assert.equal(second.code, 78)
  assert.match(second.stderr, /another witness runs on/)
  await witness.stop()
  const up = JSON.parse((await run('up', '--listen', '127.0.0.1:0', '--json')).stdout)
  assert.deepEqual([up.vkey, up.logs], [vkey, 1])
  assert.match(up.address, /^127\.0\.0\.1:[1-9]/)
})

test('what is wrong with a witness is said, and nothing is overwritten', async () => {
  await using whole = await wholeGateway()
  const data = join(whole.folder, 'witness')
  const run = (...args: readonly string[]): ReturnType<typeof operator> => operator(whole, ['witness', ...args, '--data', data])
  assert.match((await run('status')).stderr, /there is no witness: the file .*witness\.key is missing: run "sallyport witness init"/)
  const misnamed = await run('init', '--name', 'a name')
  assert.deepEqual([misnamed.code, /'a name' is invalid.*without spaces/.test(misnamed.stderr)], [64, true])
  assert.equal((await run('init', '--name', 'w1')).code, 0)
  const key = await readFile(join(data, 'witness.key'), 'utf8')
  assert.match((await run('init', '--name', 'w2')).stderr, /is the folder of the witness w1/)
  assert.match((await run('init', '--name', 'w1', '--log', 'nonsense')).stderr, /its key is no Ed25519 key of a log/)
  assert.equal(await readFile(join(data, 'witness.key'), 'utf8'), key)
  assert.equal((await run('status', '--json')).code, 0)
  await writeFile(join(data, 'logs'), 'witness x y\n')
  const wrong = await run('up', '--listen', '127.0.0.1:0', '--json')
  assert.equal(wrong.code, 78)
  assert.equal(JSON.parse(wrong.stderr).error.code, 'cli.setup')
  assert.equal((await run('up', '--listen', 'nowhere')).code, 64)
  await chmod(join(data, 'witness.key'), 0o644)
  assert.match((await run('status')).stderr, /is open to others/)
})

test('an auditor gets a policy, verifies a copy of the log and a receipt under it, and is told what is missing [L5]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([])
  await whole.start()
  await whole.stop()
  const vkey = (await operator(whole, ['log', 'policy'])).stdout.split('\n')[0]?.replace('log ', '') ?? ''
  await using one = await runningWitness([vkey], 'witness.example/w1')
  await using two = await runningWitness([], 'witness.example/w2')
  const log = { witnesses: [one, two].map((witness) => ({ vkey: witness.vkey, url: witness.url })), quorum: 1 }
  await whole.configure([], [], undefined, {}, { log })
  await whole.start()
  for (const end = Date.now() + 10_000; ; await wait(50)) {
    if (JSON.parse((await operator(whole, ['status', '--json'])).stdout).log.cosignedSize > 0) break
    assert.ok(Date.now() < end)
  }
  await whole.stop()
  const policy = join(whole.folder, 'policy')
  await writeFile(policy, (await operator(whole, ['log', 'policy'])).stdout)
  const strict = join(whole.folder, 'strict')
  await writeFile(strict, (await readFile(policy, 'utf8')).replace('group witnesses 1', 'group witnesses 2'))
  const from = ['--from', join(whole.data, 'log')]

  const verified = await operator(whole, ['log', 'verify', ...from, '--policy', policy])
  assert.match(verified.stdout, /^verified: \d+ entries, root \S+\nall of them, cosigned by witness\.example\/w1 at 20/)
  assert.match(
    (await operator(whole, ['log', 'verify', ...from, '--policy', strict])).stderr,
    /the quorum is not reached: only witness\.example\/w1 cosigned it/,
  )
  assert.equal((await operator(whole, ['log', 'verify', ...from])).code, 64)

  const [entry, proof] = [join(whole.folder, 'entry'), join(whole.folder, 'proof')]
  await writeFile(proof, (await operator(whole, ['log', 'prove', '0', '--policy', policy, '--entry', entry])).stdout)
  const check = (...more: readonly string[]): ReturnType<typeof operator> => operator(whole, ['log', 'check', proof, '--entry', entry, ...more])
  assert.match(
    (await check('--policy', policy)).stdout,
    /^proved: the entry is number 0 of \d+ in the log agents\.example\/sallyport, cosigned by witness\.example\/w1 at/,
  )
  assert.deepEqual(JSON.parse((await check('--policy', policy, '--json')).stdout).witnesses.length, 1)
  assert.match((await check('--policy', strict)).stderr, /the quorum is not reached/)
  assert.match((await check('--key', vkey)).stdout, /^proved/)
  assert.equal((await check()).code, 64)
  await writeFile(policy, 'quorum none')
  const cut = await check('--policy', policy)
  assert.equal(cut.code, 64)
  assert.match(cut.stderr, /line 1: the last line does not end/)
  assert.match((await operator(whole, ['log', 'prove', '0', '--policy', strict])).stderr, /the quorum is not reached/)
  await mkdir(join(whole.folder, 'nothing'))
  assert.match((await operator(whole, ['log', 'verify', '--from', join(whole.folder, 'nothing'), '--key', vkey])).stderr, /the log has no checkpoint/)
})
