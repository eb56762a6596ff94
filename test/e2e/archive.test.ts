import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { setTimeout as wait } from 'node:timers/promises'
import { exitCodes } from '@sallyport/contract'
import { askGateway } from '@sallyport/gateway/admin'
import { archiveSection, prefix } from '../fixtures/archived-log.ts'
import { objectLockServer, type ObjectLockServer } from '../fixtures/object-lock-server.ts'
import { operator, type Ran } from '../fixtures/operator.ts'
import { spawnGateway, wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const permitAll = [{ id: 'all', match: { tenant: 'acme' }, then: 'permit' }]

async function configure(whole: WholeGateway, server: ObjectLockServer, more: object = {}): Promise<void> {
  await whole.configure(permitAll, [{ id: 'few', per: ['agent'], requests: 1000, window: '1h' }], '127.0.0.1:0', {}, { log: archiveSection(server), ...more })
}

async function keepSecret(whole: WholeGateway, server: ObjectLockServer): Promise<void> {
  assert.equal((await operator(whole, ['secret', 'set', 'archive'], { input: server.users.gateway.secretAccessKey })).code, 0)
}

async function done(ran: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await ran
  assert.equal(code, 0, stderr)
  return stdout
}

interface Archived {
  readonly size: number
  readonly lagEntries: number
  readonly failure?: string
}

async function archiveOf(data: string): Promise<{ readonly size: number; readonly archive: Archived }> {
  const answer = await askGateway(join(data, 'admin.sock'), 'status', {})
  assert.ok(answer.kind === 'done')
  return JSON.parse(JSON.stringify(answer.value)).log
}

/** Until the archive has what the log has now. */
async function caughtUp(data: string): Promise<number> {
  const { size } = await archiveOf(data)
  for (;;) {
    const { archive } = await archiveOf(data)
    if (archive.size >= size && archive.failure === undefined) return size
    await wait(50)
  }
}

/** Has so many entries written. */
async function fill(whole: WholeGateway, entries: number): Promise<void> {
  const act = (): Promise<unknown> => whole.admin('backup.note', { act: 'backup.made', person: 'alice', file: 'x', sealed: true })
  for (let at = 0; at < entries; at += 50) await Promise.all(Array.from({ length: Math.min(50, entries - at) }, act))
}

test('a gateway that is killed goes on with its archive, from which alone the log verifies and is restored [L1]', async () => {
  await using server = await objectLockServer()
  await using whole = await wholeGateway()
  await whole.configure(permitAll)
  await whole.start()
  await keepSecret(whole, server)
  await whole.stop()
  await configure(whole, server)
  {
    await using killed = await spawnGateway(whole)
    await caughtUp(whole.data)
    killed.child.kill('SIGKILL')
  }
  const { logKey } = await whole.start()
  const size = await caughtUp(whole.data)
  assert.match(await done(operator(whole, ['status'])), /archive +\d+ entries in s3:\/\/acme-audit\/gateway-1\//)
  await whole.stop()

  const verified = JSON.parse(await done(operator(whole, ['log', 'verify', '--archive', '--json'])))
  assert.ok(verified.size >= size)
  const client = new S3Client({ region: 'eu-central-1', endpoint: server.endpoint, forcePathStyle: true, credentials: server.users.owner })
  await client.send(new DeleteObjectCommand({ Bucket: server.bucket, Key: server.keys().at(-1) ?? '' }))
  client.destroy()
  const hidden = await operator(whole, ['log', 'verify', '--archive'])
  assert.match(hidden.stdout, /^verified: /)
  assert.match(hidden.stderr, /laid something over objects of the archive \(1\)/)
  assert.equal(hidden.code, exitCodes.error)
  const copy = join(whole.folder, 'copy')
  assert.equal((await operator(whole, ['log', 'fetch-archive', copy])).code, exitCodes.error, 'it is fetched all the same')
  await done(operator(whole, ['log', 'verify', '--from', copy, '--key', logKey]))
  assert.match(await done(operator(whole, ['log', 'show', '0', '--from', copy])), /started/)
  assert.match(await done(operator(whole, ['log', 'search', '--type', 'gateway', '--from', copy])), /started/)
  assert.equal((await operator(whole, ['log', 'fetch-archive', copy])).code, exitCodes.usage, 'nothing is overwritten')

  // The host has lost its log, and with it the last second that the archive does not have.
  await rm(join(whole.data, 'log'), { recursive: true })
  await rm(join(whole.data, 'log.head'))
  await cp(copy, join(whole.data, 'log'), { recursive: true })
  await whole.start()
  await whole.assertLogVerifies(logKey)
  assert.ok((await whole.events()).length > size)
  assert.ok((await caughtUp(whole.data)) > size, 'and the archive goes on')
})

test('while the archive is away calls are answered, the lag is shown, and it is made up for', async () => {
  await using server = await objectLockServer()
  await using whole = await wholeGateway()
  await configure(whole, server)
  await whole.start()
  await keepSecret(whole, server)
  await whole.enrolAgent()
  await caughtUp(whole.data)
  server.mode = 'hanging'
  const agent = await whole.agent()
  await agent.callHttp('api', { method: 'GET', path: '/things/7' })
  assert.equal(whole.seen.length, 1)
  const log = await archiveOf(whole.data)
  assert.ok(log.size > log.archive.size)
  server.mode = 'reset'
  const { operations = '' } = whole.running.addresses
  const metric = async (name: string): Promise<number> =>
    Number(new RegExp(`^${name} (\\d+)`, 'm').exec(await (await fetch(`http://${operations}/metrics`)).text())?.[1])
  while (!/behind: the archive s3:/.test(await done(operator(whole, ['status'])))) await wait(50)
  assert.ok((await metric('sallyport_archive_failures_total')) > 0)
  assert.ok((await metric('sallyport_archive_lag_entries')) > 0)
  server.mode = 'well'
  await caughtUp(whole.data)
  assert.equal(await metric('sallyport_archive_conflict'), 0)
})

test('a gateway does not start on a bucket without Object Lock, and does on one that it cannot reach', async () => {
  await using server = await objectLockServer({ isLocked: false })
  await using whole = await wholeGateway()
  await configure(whole, server)
  server.mode = 'reset'
  await whole.start()
  await keepSecret(whole, server)
  await whole.stop()
  server.mode = 'well'
  await assert.rejects(whole.start(), /log\.archive: the bucket acme-audit has no Object Lock/)
  assert.match((await operator(whole, ['doctor'])).stdout, /archive.*no Object Lock/)
})

test('pruned entries are gone here and in the archive, and the gateway starts, proves, searches and is backed up as before', async () => {
  await using server = await objectLockServer()
  await using whole = await wholeGateway()
  await configure(whole, server)
  await whole.start()
  await keepSecret(whole, server)
  await fill(whole, 300)
  await caughtUp(whole.data)
  const before = await whole.events()
  const refused = await operator(whole, ['log', 'prune', '--keep', '30m'])
  assert.match(refused.stderr, /the quota few counts over 1h/)
  await configure(whole, server, { quotas: [{ id: 'few', per: ['agent'], requests: 1000, window: '1ms' }] })
  await done(operator(whole, ['reload']))
  const last = before[Math.floor(before.length / 256) * 256]?.time ?? ''
  while (Date.now() < Date.parse(last) + 2) await wait(1)
  const pruned = JSON.parse(await done(operator(whole, ['log', 'prune', '--keep', '1ms', '--json'])))
  assert.equal(pruned.prunedSize, 256)
  assert.ok(!existsSync(join(whole.data, 'log/tile/entries/000')))
  await whole.stop()
  await whole.start()
  assert.match(await done(operator(whole, ['log', 'verify'])), /of the first 256 the hashes alone/)
  assert.equal(JSON.parse(await done(operator(whole, ['log', 'verify', '--archive', '--json']))).prunedSize, undefined)
  assert.deepEqual(JSON.parse(await done(operator(whole, ['log', 'show', '3', '--json']))).event, before[3])
  assert.match(await done(operator(whole, ['log', 'search', '--type', 'gateway'])), /started[\s\S]*started/)
  const [proof = '', entry = ''] = ['proof', 'entry'].map((name) => join(whole.folder, name))
  await writeFile(proof, await done(operator(whole, ['log', 'prove', '3', '--entry', entry])))
  assert.match(await done(operator(whole, ['log', 'check', proof, '--entry', entry, '--key', whole.running.logKey])), /number 3/)
  await done(operator(whole, ['backup', join(whole.folder, 'b.backup'), '--plain']))
  const other = { configurationFile: whole.configurationFile, data: join(whole.folder, 'restored') }
  await done(operator(other, ['restore', join(whole.folder, 'b.backup')]))
  assert.match(await done(operator(other, ['log', 'verify'])), /of the first 256 the hashes alone/)
  const acts = JSON.parse(await done(operator(whole, ['log', 'search', '--act', 'log.pruned', '--json'])))
  assert.deepEqual(acts[0].event.subject, { size: 256, archive: `s3://acme-audit/${prefix}` })

  // Without the archive it says where they are.
  server.mode = 'reset'
  assert.match((await operator(whole, ['log', 'show', '3'])).stderr, /the archive s3:/)
})
