/**
 * What the gateway costs, beside what else one could put there, in one run on this machine. For people: ratios of one run count, and nothing is asserted.
 *
 *     npm run bench -- [proxy|latency|ledger|log|memory|search|all] [--seconds N] [--json]
 */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { payloads, small } from './payloads.ts'
import { openScene, type Say } from './scene.ts'
import { measureLatency } from './sections/latency.ts'
import { measureLedger } from './sections/ledger.ts'
import { measureLog } from './sections/log.ts'
import { measureMemory } from './sections/memory.ts'
import { measureProxy } from './sections/proxy.ts'
import { measureSearch } from './sections/search.ts'
import type { Findings, Terms } from './sections/section.ts'

const sections = ['proxy', 'latency', 'ledger', 'log', 'memory', 'search'] as const
type Section = (typeof sections)[number]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    entries: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const entries = Number(values.entries)
const [asked] = positionals
const isKnown = asked === undefined || asked === 'all' || sections.some((section) => section === asked)
if (
  !isKnown ||
  positionals.length > 1 ||
  !(seconds > 0 && seconds <= 60) ||
  !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 99) ||
  !(Number.isInteger(entries) && entries >= 1000 && entries <= 1e9)
) {
  process.stderr.write('usage: npm run bench -- [proxy|latency|ledger|log|memory|search|all] [--seconds N] [--rounds N] [--entries N] [--json]\n')
  process.exit(64)
}
const say: Say = (line) => void process.stderr.write(`${line}\n`)
const terms: Terms = { seconds, rounds, say }
const isAsked = (section: Section): boolean => asked === section || asked === 'all'
const found = new Map<string, Findings>()
const load = loadavg()[0] ?? 0

if (isAsked('ledger')) found.set('ledger', await measureLedger(terms))
if (isAsked('log')) found.set('log', await measureLog(terms))
if (isAsked('search') || asked === 'log') found.set('search', await measureSearch(terms, entries))
if (asked === undefined || asked === 'all' || ['proxy', 'latency', 'memory'].includes(asked)) {
  await using scene = await openScene(say)
  // Memory first: what a load has left in a heap would hide the connections.
  if (isAsked('memory')) found.set('memory', await measureMemory(scene, terms))
  if (isAsked('proxy') || asked === undefined) found.set('proxy', await measureProxy(scene, asked === undefined ? [small] : payloads, terms))
  if (isAsked('latency')) found.set('latency', await measureLatency(scene, terms))
}

const machine = { node: process.version, cores: availableParallelism(), loadBefore: load, seconds, rounds }
if (values.json) {
  process.stdout.write(`${JSON.stringify({ machine, ...Object.fromEntries([...found].map(([name, { numbers }]) => [name, numbers])) })}\n`)
} else {
  const { node, cores } = machine
  process.stdout.write(`\nNode ${node}, ${cores} cores, load before the run ${load.toFixed(1)}; medians of ${rounds} rounds of ${seconds} s (least–most)\n`)
  for (const { text } of found.values()) process.stdout.write(`\n${text}`)
}
