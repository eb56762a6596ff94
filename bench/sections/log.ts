import { randomUUID } from 'node:crypto'
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson, type DecisionEvent } from '@sallyport/contract'
import { leafHash, verifierKeyText } from '@sallyport/contract/log'
import pg from 'pg'
import { nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { verifyFolder } from '../../packages/gateway/src/audit/prove.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { openLogFolder, viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { newSigner } from '../../test/fixtures/log-folder.ts'
import { startPostgres } from '../../test/fixtures/postgres.ts'
import { formatSpread, quantile, spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { interleaved, type Findings, type Terms } from './section.ts'

/** Entries that are handed over at once; the next ones follow when all of them are durable. */
const batchSizes = [1, 16, 256, 1024] as const

/** Somewhere that entries can be made durable. */
interface Store {
  readonly name: string
  /** Resolves when all of them are on the disk. */
  append(events: readonly DecisionEvent[]): Promise<void>
  /** What all entries take on the disk. */
  bytes(): Promise<number>
  entries: number
}

interface Rate {
  readonly entriesPerSecond: number
  readonly p50: number
  readonly p99: number
}

/**
 * What it costs that a record is durable, beside two others on the same disk: inserts into PostgreSQL, which commit synchronously, one transaction for each batch,
 * and lines that are appended to a file, with one fdatasync for each batch. Neither of these would notice an entry that someone has changed.
 */
export async function measureLog(terms: Terms): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-log-'))
  const postgres = await startPostgres()
  const client = new pg.Client({ connectionString: await postgres.createDatabase() })
  await client.connect()
  const signer = newSigner()
  const { log } = await openLog(await openLogFolder(join(folder, 'log')), signer)
  const file = await open(join(folder, 'lines'), 'a')
  try {
    await client.query('SET synchronous_commit = on')
    await client.query('CREATE TABLE entries (index bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entry bytea NOT NULL)')
    const own: Store = {
      name: 'sallyport',
      append: async (events) => void (await Promise.all(events.map((event) => log.append(event)))),
      bytes: () => folderBytes(join(folder, 'log')),
      entries: 0,
    }
    const inserts: Store = {
      name: 'PostgreSQL, synchronous_commit',
      append: async (events) => void (await client.query('INSERT INTO entries (entry) SELECT unnest($1::bytea[])', [events.map(bytesOf)])),
      bytes: async () => Number((await client.query("SELECT pg_total_relation_size('entries') AS bytes")).rows[0]?.bytes),
      entries: 0,
    }
    const lines: Store = {
      name: 'lines in a file, fdatasync',
      append: async (events) => {
        await file.appendFile(events.map((event) => `${bytesOf(event).toString()}\n`).join(''))
        await file.datasync()
      },
      bytes: async () => (await file.stat()).size,
      entries: 0,
    }
    const stores = [own, inserts, lines]
    const subjects = batchSizes.flatMap((size) => stores.map((store) => ({ name: `${store.name}, ${size} at once`, store, size })))
    const found = await interleaved(subjects, terms, 'log', async ({ store, size }) => {
      await press(store, size, terms.seconds * 0.2)
      return press(store, size, terms.seconds)
    })
    await log.close()
    const spread = (results: readonly Rate[] | undefined, part: keyof Rate, digits: number): string =>
      formatSpread(spreadOf((results ?? []).map((rate) => rate[part])), digits)
    const resultsOf = (store: Store, size: number): readonly Rate[] | undefined => {
      for (const [subject, results] of found) if (subject.store === store && subject.size === size) return results
      return undefined
    }
    const rates = formatTable(
      ['durable entries/s', ...batchSizes.map((size) => `${size} at once`)],
      stores.map((store) => [store.name, ...batchSizes.map((size) => spread(resultsOf(store, size), 'entriesPerSecond', 0))]),
    )
    const bytes = new Map(await Promise.all(stores.map(async (store) => [store, (await store.bytes()) / store.entries] as const)))
    const singles = formatTable(
      ['one entry', 'p50 ms', 'p99 ms', 'bytes on the disk'],
      stores.map((store) => [
        store.name,
        spread(resultsOf(store, 1), 'p50', 2),
        spread(resultsOf(store, 1), 'p99', 2),
        (bytes.get(store) ?? Number.NaN).toFixed(0),
      ]),
    )
    terms.say(`log: verifying ${own.entries} entries`)
    const verified = await verifyRate(join(folder, 'log'), signer.key, own.entries)
    const text = `${rates}\n${singles}\nverified ${verified.toFixed(0)} entries/s; SHA-256 of such entries alone ${hashRate().toFixed(0)}/s\n`
    const numbers = {
      batches: [...found].map(([{ store, size }, results]) => ({ store: store.name, size, results })),
      bytesPerEntry: Object.fromEntries([...bytes].map(([{ name }, each]) => [name, each])),
      verifiedPerSecond: verified,
    }
    return { text, numbers }
  } finally {
    await file.close()
    await client.end()
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function press(store: Store, size: number, seconds: number): Promise<Rate> {
  const start = performance.now()
  const latencies: number[] = []
  while (performance.now() - start < seconds * 1000) {
    const events = Array.from({ length: size }, decision)
    const from = performance.now()
    await store.append(events)
    latencies.push(performance.now() - from)
    store.entries += size
  }
  const elapsed = (performance.now() - start) / 1000
  const sorted = latencies.toSorted((a, b) => a - b)
  return { entriesPerSecond: (sorted.length * size) / elapsed, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
}

function decision(): DecisionEvent {
  return {
    v: 1,
    type: 'decision',
    time: new Date().toISOString(),
    request: randomUUID(),
    caller: { tenant: 'acme', agent: 'invoice-bot', certificate: 'c'.repeat(43) },
    upstream: 'crm',
    action: 'create_thing',
    resource: '/things',
    call: 'd'.repeat(43),
    revision: 'r'.repeat(43),
    decision: 'permit',
    rules: ['create'],
    facts: { 'args.body.amount': 75.5 },
    quotas: ['rate'],
  }
}

/** All three write the same bytes. */
function bytesOf(event: DecisionEvent): Buffer {
  return Buffer.from(
    canonicalJson({ ...event, caller: { ...event.caller }, rules: [...event.rules], quotas: [...(event.quotas ?? [])], facts: { ...event.facts } }),
  )
}

async function verifyRate(folder: string, key: Parameters<typeof verifierKeyText>[0], entries: number): Promise<number> {
  const start = performance.now()
  const report = await verifyFolder(viewLogFolder(folder), verifierKeyText(key))
  if (report.kind !== 'verified' || report.size !== entries) throw new Error('the log of the benchmark does not verify')
  return entries / ((performance.now() - start) / 1000)
}

/** Leaves for each second: what rebuilding every hash costs without reading and parsing. */
function hashRate(): number {
  const bytes = bytesOf(decision())
  const count = 100_000
  const start = performance.now()
  for (let number = 0; number < count; number += 1) leafHash(nodeLogCrypto.sha256, bytes)
  return count / ((performance.now() - start) / 1000)
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(names.filter((one) => one.isFile()).map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
