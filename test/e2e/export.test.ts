import assert from 'node:assert/strict'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { makeAuthority, serverNames } from '../fixtures/edge-pki.ts'
import { objectionsTo } from '../fixtures/ocsf/validate.ts'
import { operator } from '../fixtures/operator.ts'
import { parseSyslog, startReceiver } from '../fixtures/syslog.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const permitAll = [{ id: 'all', match: { tenant: 'acme' }, then: 'permit' }]

interface Status {
  readonly exports: readonly { readonly name: string; readonly next: number; readonly lagEntries: number; readonly failure?: string }[]
}

async function statusOf(whole: WholeGateway): Promise<Status> {
  return JSON.parse((await operator(whole, ['status', '--json'])).stdout)
}

/** Until every export has sent all that the log has. */
async function caughtUp(whole: WholeGateway): Promise<number> {
  for (;;) {
    const size = (await whole.events()).length
    const { exports } = await statusOf(whole)
    if (exports.every(({ next, failure }) => next === size && failure === undefined)) return size
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function linesOf(path: string): Promise<readonly string[]> {
  return (await readFile(path, 'utf8')).trimEnd().split('\n')
}

/** What was sent in front of the stop may be sent again after it. */
function once(messages: readonly string[]): readonly string[] {
  return [...new Set(messages)]
}

test('what the log holds is exported to files and to a receiver, and goes on after a restart where it stopped', async (t) => {
  const receiver = await startReceiver(t)
  await using whole = await wholeGateway()
  await writeFile(join(whole.folder, 'ca.pem'), receiver.authority.rootPem)
  const exports = {
    lines: { format: 'jsonl', to: 'events.jsonl' },
    lake: { format: 'ocsf', to: join(whole.folder, 'ocsf.jsonl') },
    siem: { format: 'syslog', to: `tls://127.0.0.1:${receiver.port}`, tls: { ca: 'ca.pem' } },
  }
  await whole.configure(permitAll, [], '127.0.0.1:0', {}, { exports })
  await whole.start()
  await whole.enrolAgent()
  await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/7' })
  await whole.stop()
  await whole.start()
  const size = await caughtUp(whole)

  const events = await whole.events()
  const lines = once(await linesOf(join(whole.folder, 'events.jsonl')))
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    events.map((event, index) => ({ log: 'agents.example/sallyport', index, ...event })),
  )
  const ocsf = once(await linesOf(join(whole.folder, 'ocsf.jsonl'))).map((line) => JSON.parse(line))
  assert.equal(ocsf.length, size)
  for (const event of ocsf) assert.deepEqual(objectionsTo(event), [])
  assert.deepEqual(receiver.errors, [])
  const indexes = once(receiver.frames).map((frame) => JSON.parse(parseSyslog(frame).message).index)
  assert.deepEqual(
    indexes,
    events.map((_, index) => index),
  )
  assert.deepEqual(whole.faults, [])
})

test('an export that fails says why in status, doctor and metrics, and catches up once its receiver is there', async (t) => {
  const authority = await makeAuthority()
  const credentials = await authority.issue({ names: serverNames, usage: 'server' })
  const first = await startReceiver(t, { authority, credentials })
  await first.close()
  await using whole = await wholeGateway()
  await writeFile(join(whole.folder, 'ca.pem'), authority.rootPem)
  await whole.configure(
    permitAll,
    [],
    '127.0.0.1:0',
    {},
    {
      exports: { siem: { format: 'syslog', to: `tls://127.0.0.1:${first.port}`, tls: { ca: 'ca.pem' } } },
    },
  )
  const { addresses } = await whole.start()
  for (;;) {
    const { exports } = await statusOf(whole)
    if (exports[0]?.failure !== undefined) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { stdout: status } = await operator(whole, ['status'])
  assert.match(status, /siem +syslog +tls:.* 0 entries .*ECONNREFUSED/)
  const { findings } = JSON.parse((await operator(whole, ['doctor', '--json'])).stdout)
  assert.match(
    findings.find(({ check }: { check: string }) => check === 'gateway').advice,
    /the export siem is [0-9]+ entries and [0-9]+ s behind: .*ECONNREFUSED/,
  )
  const metrics = await (await fetch(`http://${addresses.operations}/metrics`)).text()
  assert.match(metrics, /^sallyport_export_lag_entries\{export="siem"\} [1-9]/m)
  assert.match(metrics, /^sallyport_export_failures_total\{export="siem"\} [1-9]/m)
  assert.match(whole.faults.join(), /export\.siem/)

  const second = await startReceiver(t, { authority, credentials, port: first.port })
  const size = await caughtUp(whole)
  assert.equal(second.frames.length, size)
})

test('wrong exports are told with their place in the file', async () => {
  await using whole = await wholeGateway()
  for (const [exports, told] of [
    [{ siem: { format: 'syslog', to: 'udp://127.0.0.1:514' } }, /a file, or tls:\/\/HOST:PORT/],
    [{ siem: { format: 'syslog', to: 'tls://127.0.0.1:70000' } }, /there is no port 70000/],
    [{ siem: { format: 'cef', to: 'x' } }, /format/],
    [{ siem: { format: 'jsonl', to: 'x', tls: {} } }, /a file has no TLS/],
    [{ siem: { format: 'jsonl', to: 'tls://h:1', rotate: {} } }, /only a file is rotated/],
    [{ siem: { format: 'jsonl', to: 'tls://h:1', tls: { ca: 'none.pem' } } }, /none\.pem cannot be read/],
    [{ one: { format: 'jsonl', to: 'x' }, two: { format: 'ocsf', to: './x' } }, /the export one writes this file/],
    [Object.fromEntries(Array.from({ length: 17 }, (_, number) => [`e${number}`, { format: 'jsonl', to: `f${number}` }])), /at most 16 exports/],
  ] as const) {
    await whole.configure(permitAll, [], '127.0.0.1:0', {}, { exports })
    const { code, stderr } = await operator(whole, ['validate'])
    assert.equal(code, 78)
    assert.match(stderr, told)
  }
})

test('an export into the data folder or over the configuration does not start', async () => {
  await using whole = await wholeGateway()
  await symlink(whole.data, join(whole.folder, 'elsewhere'))
  const own = [join(whole.data, 'log.key'), join(whole.data, 'log', 'checkpoint'), 'elsewhere/state.db', whole.configurationFile]
  for (const to of own) {
    await whole.configure(permitAll, [], '127.0.0.1:0', {}, { exports: { lines: { format: 'jsonl', to } } })
    await assert.rejects(whole.start(), /would write into what the gateway itself keeps/, to)
  }
})

test('with searchIndex the gateway keeps the index, and a search finds by any of its names', async () => {
  await using whole = await wholeGateway()
  await whole.configure(permitAll, [], '127.0.0.1:0', {}, { searchIndex: true })
  await whole.start()
  await whole.enrolAgent()
  await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/7' })
  const indexOf = async () => JSON.parse((await operator(whole, ['log', 'index', 'status', '--json'])).stdout)
  const size = (await whole.events()).length
  while ((await indexOf()).size !== size) await new Promise((resolve) => setTimeout(resolve, 20))
  const search = async (...args: readonly string[]) => JSON.parse((await operator(whole, ['log', 'search', '--json', ...args])).stdout)
  const [decision] = await search('--action', 'get_thing', '--since', '1h', '--decision', 'permit')
  assert.equal(decision.event.resource, '/things/{id}')
  assert.deepEqual(await search('--call', decision.event.call), [decision])
  assert.equal((await search('--request', decision.event.request)).length, 2)
  assert.deepEqual(await search('--until', '1d'), [])
  const newest = await search('--limit', '1')
  assert.equal((await search('--before', String(newest[0].index), '--limit', '1'))[0].index, newest[0].index - 1)
  const { stdout } = await operator(whole, ['explain', decision.event.request])
  assert.match(stdout, /PERMITTED by rule all/)
  await whole.stop()
  assert.match((await operator(whole, ['log', 'index', 'rebuild'])).stdout, /indexed: [0-9]+ entries/)
})
