import { mkdtemp, rm } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTrustDomain } from '@sallyport/contract'
import { initialise } from '@sallyport/gateway'
import { runTerms } from '../../packages/gateway/src/control/configuration/run-terms.ts'
import { openLedger, type OpenLedger } from '../../packages/gateway/src/threads/open-ledger.ts'
import type { AccessRequest } from '../../packages/gateway/src/access/access-request.ts'
import { callBy, policyOf, principalOf } from '../../test/fixtures/access-request.ts'
import { small } from '../payloads.ts'
import { formatSpread, quantile, spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { interleaved, type Findings, type Terms } from './section.ts'

interface Rate {
  readonly decisionsPerSecond: number
  readonly entriesPerSecond: number
  readonly microsecondsPerDecision: number
  readonly p50: number
  readonly p99: number
}

/** The ledger alone, over a real log on this machine's disk: a decision that is durable, and the outcome that follows it. */
export async function measureLedger(terms: Terms): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-ledger-'))
  try {
    await initialise(folder, 'bench.example')
    const opened = await open(folder)
    try {
      return await measure(opened, terms)
    } finally {
      await opened.finish()
      await opened.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const policy = {
  revision: 'bench',
  policy: policyOf(
    [{ id: 'create', match: { upstream: 'crm', action: 'create_thing' }, when: 'args.body.amount <= 100.0', then: 'permit' }],
    [{ id: 'rate', per: ['agent'], requests: 1_000_000_000, window: '1m' }],
  ),
}

async function open(folder: string): Promise<OpenLedger> {
  const trustDomain = parseTrustDomain('bench.example')
  if (!trustDomain) throw new TypeError('not a trust domain')
  const report = (event: string, error: unknown): void => {
    throw new Error(event, { cause: error })
  }
  return openLedger({ dataFolder: folder, policy, runs: runTerms(), seeRun: () => undefined, report })
}

async function measure({ ledger }: OpenLedger, terms: Terms): Promise<Findings> {
  await ledger.begin({ act: 'started', version: 'bench', revision: policy.revision })
  const body = JSON.parse(small.request.body ?? '{}')
  const call = callBy(await principalOf('acme', 'bot'), { upstream: 'crm', action: 'create_thing', resource: '/things', target: '/things', args: { body } })

  const levels = [1, 64, 512].map((inFlight) => ({ name: `${inFlight} in flight`, inFlight }))
  const found = await interleaved(levels, terms, 'ledger', async ({ inFlight }) => {
    await press(ledger, call, inFlight, terms.seconds * 0.3)
    return press(ledger, call, inFlight, terms.seconds)
  })
  const rows = [...found].map(([{ name }, results]) => {
    const of = (part: keyof Rate, digits = 0): string => formatSpread(spreadOf(results.map((rate) => rate[part])), digits)
    return [name, of('decisionsPerSecond'), of('entriesPerSecond'), of('microsecondsPerDecision'), of('p50', 2), of('p99', 2)]
  })
  const head = ['ledger', 'decisions/s', 'durable entries/s', 'CPU µs per decision', 'p50 ms', 'p99 ms']
  return { text: formatTable(head, rows), numbers: [...found].map(([{ inFlight }, results]) => ({ inFlight, results })) }
}

/** CPU time is that of the whole process: the ledger's thread and those that write. */
async function press(ledger: OpenLedger['ledger'], call: AccessRequest, inFlight: number, seconds: number): Promise<Rate> {
  const start = performance.now()
  const from = process.cpuUsage()
  const latencies: number[] = []
  const outcomes: Promise<void>[] = []
  const worker = async (): Promise<void> => {
    while (performance.now() - start < seconds * 1000) {
      const askedAt = performance.now()
      const request = { ...call, id: randomUUID() }
      const verdict = await ledger.decide(policy, request)
      if (verdict.kind !== 'permit') throw new Error(`the ledger answered ${verdict.kind === 'list-first' ? verdict.kind : verdict.problem.code}`)
      latencies.push(performance.now() - askedAt)
      const { index } = verdict.receipt
      outcomes.push(ledger.conclude({ request: request.id, index }, { result: 'answered', status: 200, requestBytes: 1024, answerBytes: 2048 }, Date.now()))
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  await Promise.all(outcomes)
  const elapsed = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(from)
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    decisionsPerSecond: sorted.length / elapsed,
    entriesPerSecond: (sorted.length * 2) / elapsed,
    microsecondsPerDecision: (user + system) / sorted.length,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  }
}
