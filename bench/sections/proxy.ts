import type { Candidate } from '../candidates/candidate.ts'
import { small, type Payload } from '../payloads.ts'
import { cpuMicroseconds } from '../processes.ts'
import type { Scene } from '../scene.ts'
import { formatSpread, spreadOf } from '../statistics.ts'
import { formatTable } from '../table.ts'
import { interleaved, type Findings, type Terms } from './section.ts'

const inFlight = 32
const warmUpShare = 0.3
/** Before the first round: what was never called is not compiled yet, and nobody runs a gateway for a second. */
const firstWarmUpSeconds = 5

interface Cost {
  readonly microseconds: number
  readonly perSecond: number
  /** CPU time of the load generator: for each request, and of the time that went by. */
  readonly loadMicroseconds: number
  readonly loadShare: number
}

/** CPU time of each candidate for one request, as fast as it goes with 32 in flight. */
export async function measureProxy(scene: Scene, payloads: readonly Payload[], terms: Terms): Promise<Findings> {
  for (const candidate of scene.candidates) {
    terms.say(`warming up: ${candidate.name}`)
    await press(scene, candidate, small, firstWarmUpSeconds)
  }
  const tables: string[] = []
  const numbers: object[] = []
  for (const payload of payloads) {
    const found = await interleaved(scene.candidates, terms, payload.name, (candidate) => press(scene, candidate, payload, terms.seconds))
    const costs = [...found].map(([{ name }, results]) => ({ name, results }))
    numbers.push({ payload: payload.name, inFlight, costs })
    tables.push(`${payload.name}\n\n${tableOf(costs)}`)
  }
  return { text: tables.join('\n'), numbers }
}

async function press({ load }: Scene, { origin, tls, prefix, processes }: Candidate, { request }: Payload, seconds: number): Promise<Cost> {
  await load.order({ act: 'open', target: { origin, tls }, connections: inFlight })
  const order = { act: 'press', request: { ...request, path: `${prefix}${request.path}` }, inFlight } as const
  await load.order({ ...order, seconds: seconds * warmUpShare })
  const before = cpuMicroseconds(processes)
  const { requests, cpuMicroseconds: loadCpu, seconds: elapsed } = await load.order({ ...order, seconds })
  const microseconds = (cpuMicroseconds(processes) - before) / requests
  await load.order({ act: 'close' })
  return { microseconds, perSecond: requests / elapsed, loadMicroseconds: loadCpu / requests, loadShare: loadCpu / 1e6 / elapsed }
}

function tableOf(costs: readonly { readonly name: string; readonly results: readonly Cost[] }[]): string {
  const nginx = costs.find(({ name }) => name === 'nginx')
  const base = nginx && spreadOf(nginx.results.map(({ microseconds }) => microseconds)).median
  const rows = costs.map(({ name, results }) => {
    const of = (part: keyof Cost): ReturnType<typeof spreadOf> => spreadOf(results.map((cost) => cost[part]))
    const cost = of('microseconds')
    return [
      name,
      formatSpread(cost),
      base === undefined ? '' : (cost.median / base).toFixed(1),
      of('perSecond').median.toFixed(0),
      `${of('loadMicroseconds').median.toFixed(0)} µs, ${(of('loadShare').median * 100).toFixed(0)} %`,
    ]
  })
  return formatTable(['candidate', 'CPU µs per request', '× nginx', 'requests/s', 'load generator'], rows)
}
