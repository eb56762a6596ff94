/**
 * Where the gateway's CPU time goes: runs it under a small load with V8's sampling profiler and sums the samples by part.
 *
 *     node bench/profile.ts [--seconds N] [--credential] [--payload 0..3] [--functions]
 */
import { fork } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { ended, portOf } from './candidates/candidate.ts'
import { startSallyport } from './candidates/sallyport.ts'
import { Load } from './load/load.ts'
import { payloads, small } from './payloads.ts'
import { cpuOfThreads } from './processes.ts'
import { partOf, type Frame } from './profile-parts.ts'
import { formatTable } from './table.ts'

const warmUpSeconds = 12
const inFlight = 32

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    payload: { type: 'string', default: '0' },
    credential: { type: 'boolean', default: false },
    functions: { type: 'boolean', default: false },
  },
})
const { request } = payloads[Number(values.payload)] ?? small

const folder = await mkdtemp(join(tmpdir(), 'sallyport-profile-'))
const upstream = fork(join(import.meta.dirname, 'upstream-program.ts'))
const sallyport = await startSallyport(await portOf(upstream), 0, ['env', `NODE_OPTIONS=--cpu-prof --cpu-prof-interval 500 --cpu-prof-dir=${folder}`])
const { origin, tls, prefix } = values.credential ? sallyport.withCredential : sallyport.plain
const load = new Load()
// The profiler counts time, not CPU time: who is woken by the gateway must not push it aside.
for (const pid of [upstream.pid ?? 0, load.pid]) setPriority(pid, constants.priority.PRIORITY_LOW)
await load.order({ act: 'open', target: { origin, tls }, connections: inFlight })
const order = { act: 'press', request: { ...request, path: `${prefix}${request.path}` }, inFlight } as const
await load.order({ ...order, seconds: warmUpSeconds })

const before = cpuOfThreads(sallyport.pid)
const startAt = process.hrtime.bigint() / 1000n // V8's samples carry the same monotonic clock
const { requests, seconds } = await load.order({ ...order, seconds: Number(values.seconds) })
const endAt = process.hrtime.bigint() / 1000n
const after = cpuOfThreads(sallyport.pid)
load[Symbol.dispose]()
await sallyport.plain.stop()
await ended(upstream)

const threads = new Map<string, number>()
for (const [id, { name, microseconds }] of after) threads.set(name, (threads.get(name) ?? 0) + microseconds - (before.get(id)?.microseconds ?? 0))
const perRequest = (microseconds: number): string => (microseconds / requests).toFixed(1)
process.stdout.write(`${requests} requests in ${seconds.toFixed(1)} s: ${request.method} ${request.path}\n\n`)
process.stdout.write(
  formatTable(
    ['thread', 'CPU µs per request'],
    [...threads].filter(([, spent]) => spent > 0).map(([name, spent]) => [name, perRequest(spent)]),
  ),
)

const { parts, functions } = sumSamples(Number(startAt), Number(endAt))
await rm(folder, { recursive: true, force: true })
const total = [...parts.values()].reduce((sum, time) => sum + time, 0)
const shares = (sums: ReadonlyMap<string, number>): string[][] =>
  [...sums]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, time]) => [name, `${((time / total) * 100).toFixed(1)} %`, ((time / total) * ((threads.get('main') ?? 0) / requests)).toFixed(1)])
process.stdout.write(`\nThe main thread by part, where it did not wait\n\n${formatTable(['part', 'share', 'CPU µs per request'], shares(parts))}`)
if (values.functions) process.stdout.write(`\n${formatTable(['function', 'share', 'CPU µs per request'], shares(functions).slice(0, 60))}`)

/** Microseconds by part and by function, of the samples between two times. */
function sumSamples(from: number, to: number): { parts: Map<string, number>; functions: Map<string, number> } {
  const frame = z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() })
  const schema = z.object({
    nodes: z.array(z.object({ id: z.number(), callFrame: frame, children: z.array(z.number()).optional() })),
    startTime: z.number(),
    samples: z.array(z.number()),
    timeDeltas: z.array(z.number()),
  })
  const [file = ''] = globSync(join(folder, '*.cpuprofile'))
  const { nodes, startTime, samples, timeDeltas } = schema.parse(JSON.parse(readFileSync(file, 'utf8')))
  const stacks = stacksOf(nodes)
  const found = { parts: new Map<string, number>(), functions: new Map<string, number>() }
  let at = startTime
  for (const [index, node] of samples.entries()) {
    const delta = timeDeltas[index] ?? 0
    at += delta
    const stack = stacks.get(node)
    const [leaf] = stack ?? []
    if (at < from || at > to || !stack || !leaf || leaf.functionName === '(idle)') continue
    const { functionName, url, lineNumber } = leaf
    const name = `${functionName} ${url.replace(/^.*\/(?=[^/]*\/[^/]*$)/, '')}:${lineNumber + 1}`
    const part = partOf(stack)
    found.parts.set(part, (found.parts.get(part) ?? 0) + delta)
    found.functions.set(`${part}: ${name}`, (found.functions.get(`${part}: ${name}`) ?? 0) + delta)
  }
  return found
}

/** From the innermost frame outwards. */
function stacksOf(
  nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] | undefined }[],
): Map<number, readonly Frame[]> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const stacks = new Map<number, readonly Frame[]>()
  for (const { id } of nodes) {
    const stack: Frame[] = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = frames.get(at)
      if (frame) stack.push(frame)
    }
    stacks.set(id, stack)
  }
  return stacks
}
