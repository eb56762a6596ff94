import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { operator, type Ran } from '../fixtures/operator.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const passphrase = 'correct horse battery staple'
const permitThings = { id: 'things', match: { upstream: 'api' }, then: 'permit' }
const secretValue = 'upstream-credential-5e1f'
const withCredential = { api: { credential: { secret: 'api-key' } } }

async function running(quotas: readonly object[] = []): Promise<WholeGateway> {
  const whole = await wholeGateway()
  const api = {
    protocol: 'http',
    url: `http://127.0.0.1:${whole.apiPort}`,
    addresses: { allow: ['127.0.0.1/32'] },
    operations: [{ name: 'get_thing', method: 'GET', path: '/things/{id}' }],
    ...withCredential.api,
  }
  await whole.configure([permitThings], quotas, '127.0.0.1:0', { api })
  await whole.start()
  await operator(whole, ['secret', 'set', 'api-key'], { input: secretValue })
  await whole.enrolAgent()
  return whole
}

async function call(whole: WholeGateway): Promise<string> {
  const answer = await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/1' })
  return answer.kind === 'refused' ? answer.problem.code : String(answer.status)
}

const backupOf = (whole: WholeGateway, name = 'gateway.backup', more: readonly string[] = [], input = passphrase): Promise<Ran> =>
  operator(whole, ['backup', join(whole.folder, name), '--json', ...more], { input })

const restoreOf = (whole: WholeGateway, name = 'gateway.backup', more: readonly string[] = [], input = passphrase): Promise<Ran> =>
  operator(whole, ['restore', join(whole.folder, name), '--json', ...more], { input })

const setAside = (whole: WholeGateway): Promise<void> => rename(whole.data, join(whole.folder, 'before'))

test('a backup under load restores to a gateway whose log verifies, whose secrets open and whose agents go on', async () => {
  await using whole = await running()
  let isDone = false
  const client = await whole.agent()
  const calling = (async () => {
    while (!isDone) {
      const answer = await client.callHttp('api', { method: 'GET', path: '/things/1' })
      assert.ok(answer.kind === 'answer')
      for await (const piece of answer.body) assert.ok(piece.length > 0)
    }
  })()
  const made = await backupOf(whole)
  isDone = true
  await calling
  assert.deepEqual([made.code, made.stderr], [0, ''])
  const { log, sealed } = JSON.parse(made.stdout)
  assert.equal(sealed, true)
  const file = await readFile(join(whole.folder, 'gateway.backup'))
  assert.equal((await stat(join(whole.folder, 'gateway.backup'))).mode & 0o777, 0o600)
  assert.ok(!file.includes('PRIVATE KEY') && !file.includes('state.db'))
  assert.deepEqual(
    (await readdir(whole.data)).filter((name) => name.startsWith('.')),
    [],
  )
  const { logKey } = whole.running
  await whole.stop()

  await setAside(whole)
  const restored = await restoreOf(whole)
  assert.deepEqual([restored.code, restored.stderr], [0, ''])
  assert.equal(JSON.parse(restored.stdout).log.size, log.size)
  await whole.start()
  assert.equal(whole.running.logKey, logKey)
  assert.equal(await call(whole), '200')
  assert.equal(whole.seen.at(-1)?.authorization, `Bearer ${secretValue}`)
  await whole.stop()
  await whole.assertLogVerifies(logKey)
  const acts = (await whole.events()).flatMap((event) => (event.type === 'admin' ? [[event.act, event.person]] : []))
  assert.deepEqual(
    acts.filter(([act]) => act?.startsWith('backup.')),
    [
      ['backup.made', 'alice'],
      ['backup.restored', 'alice'],
    ],
  )
})

test('a backup of a gateway that is down, into a folder and not sealed, is an archive that tar reads and restore takes', async () => {
  await using whole = await running()
  assert.equal(await call(whole), '200')
  await whole.stop()
  await mkdir(join(whole.folder, 'backups'))
  const made = await backupOf(whole, 'backups', ['--plain'], '')
  assert.equal(made.code, 0, made.stderr)
  const { file } = JSON.parse(made.stdout)
  assert.match(file, /backups\/sallyport-agents\.example-[0-9]{8}T[0-9]{6}Z\.backup$/)
  const listed = spawnSync('tar', ['-tf', file], { encoding: 'utf8' }).stdout.split('\n')
  for (const name of ['sealing.key', 'log.key', 'log.head', 'ca/trust.json', 'log/checkpoint', 'state.db', 'manifest.json'])
    assert.ok(listed.includes(name), name)
  await setAside(whole)
  assert.equal((await operator(whole, ['restore', file])).code, 0)
  await whole.start()
  assert.equal(await call(whole), '200')
})

test('a flipped byte anywhere, a cut and a wrong passphrase are refused, and nothing is left behind', async () => {
  await using whole = await running()
  assert.equal((await backupOf(whole)).code, 0)
  assert.equal((await backupOf(whole, 'plain.backup', ['--plain'])).code, 0)
  await whole.stop()
  await setAside(whole)
  const refusedAs = async (name: string, bytes: Buffer, reason: RegExp, input = passphrase): Promise<void> => {
    await writeFile(join(whole.folder, name), bytes)
    const { code, stderr } = await restoreOf(whole, name, [], input)
    assert.equal(code, 1)
    assert.match(stderr, reason)
    const left = readdirSync(whole.folder).filter((entry) => entry.startsWith('data'))
    assert.deepEqual(left, [])
  }
  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  const sealed = await readFile(join(whole.folder, 'gateway.backup'))
  const plain = await readFile(join(whole.folder, 'plain.backup'))
  const headEnd = sealed.indexOf('\n', sealed.indexOf('\n') + 1)
  await refusedAs('wrong', sealed, /passphrase is not the one/, 'incorrect horse battery')
  await refusedAs('first', flipped(sealed, headEnd + 100), /passphrase is not the one/)
  await refusedAs('cut', sealed.subarray(0, -16), /altered/)
  await refusedAs('key', flipped(plain, plain.indexOf('PRIVATE KEY') + 40), /log\.key was altered|root-.* was altered/)
  await refusedAs('entry', flipped(plain, plain.indexOf('"agent.enrolled"') + 3), /log\/tile\/entries\/.* was altered/)
  await refusedAs('name', flipped(plain, plain.indexOf('state.db')), /altered/)
  await refusedAs('short', plain.subarray(0, plain.indexOf('manifest.json')), /was cut/)
  await refusedAs('other', Buffer.from('no archive at all'), /cut|no archive/)
})

test('what is there is never replaced, by a backup or by a restore', async () => {
  await using whole = await running()
  assert.equal((await backupOf(whole)).code, 0)
  const before = await readFile(join(whole.folder, 'gateway.backup'))
  assert.match((await backupOf(whole)).stderr, /not replaced/)
  assert.deepEqual(await readFile(join(whole.folder, 'gateway.backup')), before)
  const other = await restoreOf(whole)
  assert.match(other.stderr, /is not empty, and nothing is overwritten/)
  assert.equal(await call(whole), '200')
})

test('an older state than a known log.head is restored only when someone says so', async () => {
  await using whole = await running([{ id: 'once', per: ['agent'], requests: 1, window: '1h' }])
  assert.equal((await backupOf(whole)).code, 0)
  assert.equal(await call(whole), '200')
  assert.equal(await call(whole), 'policy.quota-exhausted')
  await whole.stop()
  await setAside(whole)
  await mkdir(whole.data, { mode: 0o700 })
  await cp(join(whole.folder, 'before', 'log.head'), join(whole.data, 'log.head'))
  assert.match((await restoreOf(whole)).stderr, /has [0-9]+ more: the quotas used.*--older-is-fine/)
  assert.deepEqual(await readdir(whole.data), ['log.head'])
  const restored = await restoreOf(whole, 'gateway.backup', ['--older-is-fine'])
  assert.equal(restored.code, 0, restored.stderr)
  assert.ok(JSON.parse(restored.stdout).lostEntries > 0)
  await whole.start()
  assert.equal(await call(whole), '200') // what the warning says
})

test('a head of another log is not taken for a newer state of this one', async () => {
  await using whole = await running()
  await using other = await running()
  assert.equal((await backupOf(whole)).code, 0)
  await other.stop()
  const { code, stderr } = await operator(
    whole,
    ['restore', join(whole.folder, 'gateway.backup'), '--data', join(whole.folder, 'new'), '--head', join(other.data, 'log.head')],
    {
      input: passphrase,
    },
  )
  assert.equal(code, 1, stderr)
})

test('a disk that takes no more leaves no backup, says why, and the gateway goes on', async () => {
  await using whole = await running()
  const file = join(whole.folder, 'gateway.backup')
  const program = join(import.meta.dirname, '../../bin/sallyport.ts')
  const args = [program, 'backup', file, '--config', whole.configurationFile, '--data', whole.data, '--as', 'bob']
  const child = spawn('bash', ['-c', 'ulimit -f 40; exec "$0" "$@"', process.execPath, ...args], { stdio: ['pipe', 'ignore', 'pipe'] })
  child.stdin.end(passphrase)
  const said = await text(child.stderr)
  assert.equal(child.exitCode ?? (await once(child, 'exit'))[0], 1)
  assert.match(said, /cannot be (written|copied)/)
  assert.deepEqual(
    (await readdir(whole.folder)).filter((name) => name.includes('backup')),
    [],
  )
  assert.equal(await call(whole), '200')
  const acts = (await whole.events()).flatMap((event) => (event.type === 'admin' && event.person === 'bob' ? [event.act] : []))
  assert.deepEqual(acts, ['backup.made', 'backup.failed'])
})

test('a passphrase that is guessed at once, or that others can read, seals nothing', async () => {
  await using whole = await running()
  assert.match((await backupOf(whole, 'a', [], 'short')).stderr, /fewer than 12 characters/)
  await writeFile(join(whole.folder, 'passphrase'), passphrase, { mode: 0o644 })
  assert.match((await backupOf(whole, 'a', ['--passphrase-file', join(whole.folder, 'passphrase')])).stderr, /open to others/)
})
