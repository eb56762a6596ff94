/**
 * Looks for a way past the session's checks: first everything that the short scenarios hold, then generated runs until the time is over.
 *
 * `npm run simulate -- --seconds 60 --seed 1`; a violation is printed with all that led to it.
 */
import { parseArgs } from 'node:util'
import { explore } from './explore.ts'
import { runGenerated } from './generated.ts'
import { longScenarios, runScenario, scenarios } from './scenarios.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    long: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const [seconds, firstSeed] = [Number(values.seconds), Number(values.seed)]
if (!(seconds > 0) || !Number.isSafeInteger(firstSeed)) throw new RangeError('--seconds and --seed are numbers')

/** A scenario of which a mistake makes endlessly many runs is left here. */
const runsMax = 20_000
const end = performance.now() + seconds * 1000
const tell = (line: string): void => void (values.json || process.stdout.write(`${line}\n`))
const violation = await look()
if (values.json) process.stdout.write(`${JSON.stringify({ violation: violation?.split('\n')[0] ?? null })}\n`)
else if (violation !== undefined) process.stderr.write(`${violation}\n`)
process.exit(violation === undefined ? 0 : 1)

async function look(): Promise<string | undefined> {
  for (const scenario of [...scenarios, ...(values.long ? longScenarios : [])]) {
    try {
      const { runs, redundant, isComplete } = await explore((choose) => runScenario(scenario, choose), values.long ? Number.POSITIVE_INFINITY : runsMax)
      tell(`${isComplete ? 'all of ' : 'some of'} ${String(runs).padStart(7)} runs (${redundant} more would be the same): ${scenario.name}`)
    } catch (error) {
      return `${scenario.name}: ${messageOf(error)}`
    }
    if (values.json && performance.now() > end) return undefined
  }
  let seed = firstSeed
  for (; performance.now() < end; seed += 1) {
    try {
      await runGenerated(seed)
    } catch (error) {
      return `seed ${seed}: ${messageOf(error)}`
    }
  }
  tell(`${seed - firstSeed} generated runs, seeds ${firstSeed} to ${seed - 1}`)
  return undefined
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'Violation' ? error.message : (error.stack ?? error.message)
}
