import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { canonicalJson, type DecisionEvent, type OutcomeEvent } from '@sallyport/contract'
import { bundlePath, bundleWidth, encodeBundle, tileWidth } from '@sallyport/contract/log'
import type { EventFilter } from '../../packages/gateway/src/audit/entry-facts.ts'
import { searchLog } from '../../packages/gateway/src/audit/search-log.ts'
import { updateIndex } from '../../packages/gateway/src/audit/update-index.ts'
import { openLogIndex } from '../../packages/gateway/src/drivers/sqlite/log-index.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { formatSpread, spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { interleaved, type Findings, type Terms } from './section.ts'

/** Calls between two that nobody else makes. */
const rareEvery = 100_000

/**
 * Searches of a long log by its index: each asks for the newest 50. What a search costs is how far it must look, so the worst ones find little or nothing.
 *
 * The log is made without its tiles of hashes, which no search reads.
 */
export async function measureSearch(terms: Terms, entries: number): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-search-'))
  try {
    terms.say(`search: writing ${entries} entries`)
    const known = await writeEntries(join(folder, 'log'), entries)
    const view = viewLogFolder(join(folder, 'log'))
    using index = openLogIndex(join(folder, 'log.index'))
    terms.say('search: indexing')
    const start = performance.now()
    await updateIndex(view, index)
    const indexedPerSecond = entries / ((performance.now() - start) / 1000)
    const searches: readonly { readonly name: string; readonly filter: EventFilter }[] = [
      { name: 'one agent of 1000', filter: { tenant: 'tenant-7', agent: 'agent-7' } },
      { name: 'one of its actions, denied', filter: { tenant: 'tenant-7', agent: 'agent-7', action: 'action-3', decision: 'deny' } },
      { name: 'a rule, an hour in the middle', filter: { rule: 'rule-3', since: timeOf(entries / 2), until: timeOf(entries / 2 + 100_000) } },
      { name: 'an agent that called long ago', filter: { agent: 'early' } },
      { name: 'one in 100,000', filter: { upstream: 'rare' } },
      { name: 'names that nothing has together', filter: { agent: 'early', upstream: 'rare' } },
      { name: 'the oldest request', filter: { request: known.request } },
      { name: 'the digest of a call', filter: { call: known.call } },
      { name: 'a request that is not there', filter: { request: randomUUID() } },
    ]
    const found = await interleaved(searches, terms, 'search', async ({ filter }) => {
      const from = performance.now()
      const { found: hits } = await searchLog(view, index, filter, { limit: 50 })
      return { ms: performance.now() - from, hits: hits.length }
    })
    const rows = [...found].map(([{ name }, results]) => [name, String(results[0]?.hits ?? 0), formatSpread(spreadOf(results.map(({ ms }) => ms)), 1)])
    const text = `${formatTable([`search in ${entries} entries`, 'hits', 'ms'], rows)}\nindexed ${Math.round(indexedPerSecond)} entries/s\n`
    return { text, numbers: { entries, indexedPerSecond, searches: [...found].map(([{ name }, results]) => ({ name, results })) } }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function timeOf(index: number): string {
  return new Date(Date.UTC(2026, 0, 1) + Math.floor(index) * 36).toISOString()
}

async function writeEntries(folder: string, count: number): Promise<{ readonly request: string; readonly call: string }> {
  let last = { request: '', call: '' }
  let first = last
  const entry = (index: number): Uint8Array => {
    if (index % 2 === 1) return Buffer.from(canonicalJson({ ...outcomeOf(index, last.request) }))
    const event = decisionOf(index)
    last = { request: event.request, call: event.call }
    if (index === 0) first = last
    return Buffer.from(canonicalJson({ ...event, caller: { ...event.caller }, rules: [...event.rules] }))
  }
  const folders = new Set<string>()
  for (let bundle = 0; bundle * tileWidth < count; bundle += 1) {
    const width = bundleWidth(bundle, count)
    const path = join(folder, bundlePath(bundle, width))
    if (!folders.has(dirname(path))) await mkdir(dirname(path), { recursive: true })
    folders.add(dirname(path))
    await writeFile(path, encodeBundle(Array.from({ length: width }, (_, at) => entry(bundle * tileWidth + at))))
  }
  await writeFile(join(folder, 'checkpoint'), `bench\n${count}\nAAAA\n\n`)
  return first
}

/** A thousand agents, each with twenty actions of its own. */
function decisionOf(index: number): DecisionEvent {
  const number = index / 2
  const isDenied = number % 17 === 0
  const tool = Math.floor(number / 1000) % 20
  return {
    v: 1,
    type: 'decision',
    time: timeOf(index),
    request: randomUUID(),
    caller: { tenant: `tenant-${number % 10}`, agent: number < 1000 ? 'early' : `agent-${number % 1000}`, certificate: 'c'.repeat(43) },
    upstream: number % rareEvery === 1 ? 'rare' : `upstream-${tool % 5}`,
    action: `action-${tool}`,
    resource: `/things/${number}`,
    call: createHash('sha256').update(String(number)).digest('base64url'),
    revision: 'r'.repeat(43),
    decision: isDenied ? 'deny' : 'permit',
    ...(isDenied && { code: 'policy.denied' }),
    rules: [`rule-${tool % 7}`],
  }
}

function outcomeOf(index: number, request: string): OutcomeEvent {
  return { v: 1, type: 'outcome', time: timeOf(index), request, decision: index - 1, result: 'answered', status: 200, milliseconds: index % 100 }
}
