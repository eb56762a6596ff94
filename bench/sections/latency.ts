import type { Candidate } from '../candidates/candidate.ts'
import { small } from '../payloads.ts'
import type { Scene } from '../scene.ts'
import { formatSpread, quantile, spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { interleaved, type Findings, type Terms } from './section.ts'

/** Well below what any candidate can carry on one core. */
const perSecond = 400
const connections = 32

interface Latency {
  readonly p50: number
  readonly p99: number
}

/** What each candidate adds to a call of the upstream, at a steady rate. */
export async function measureLatency(scene: Scene, terms: Terms): Promise<Findings> {
  const found = await interleaved([scene.direct, ...scene.candidates], terms, `${perSecond} requests a second`, (candidate) =>
    pace(scene, candidate, terms.seconds),
  )
  const direct = found.get(scene.direct) ?? []
  // Beside the direct path of the same round.
  const added = (results: readonly Latency[], part: keyof Latency): string =>
    formatSpread(spreadOf(results.map((result, round) => result[part] - (direct[round]?.[part] ?? Number.NaN))), 2)
  const rows = [...found].map(([{ name }, results]) => [
    name,
    formatSpread(spreadOf(results.map(({ p50 }) => p50)), 2),
    name === 'direct' ? '' : added(results, 'p50'),
    formatSpread(spreadOf(results.map(({ p99 }) => p99)), 2),
    name === 'direct' ? '' : added(results, 'p99'),
  ])
  return {
    text: `${small.name}, ${perSecond} requests a second, milliseconds\n\n${formatTable(['candidate', 'p50', 'added p50', 'p99', 'added p99'], rows)}`,
    numbers: { perSecond, latencies: [...found].map(([{ name }, results]) => ({ name, results })) },
  }
}

async function pace({ load }: Scene, { origin, tls, prefix }: Candidate, seconds: number): Promise<Latency> {
  await load.order({ act: 'open', target: { origin, tls }, connections })
  const request = { ...small.request, path: `${prefix}${small.request.path}` }
  await load.order({ act: 'press', request, inFlight: connections, seconds: 0.3 })
  const { latencies } = await load.order({ act: 'pace', request, perSecond, seconds: seconds * 2 })
  await load.order({ act: 'close' })
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}
