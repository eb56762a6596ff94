import fc from 'fast-check'
import { Coverage } from './coverage.ts'
import { drawFrom, mutate } from './mutate.ts'
import { shrink } from './shrink.ts'
import type { Target } from './target.ts'

/** CPU time that no input of `bytesMax` may need. Far above what honest work takes, so that a busy machine finds nothing. */
const slowMsDefault = 500

export interface Finding {
  /** As small as it could be made. */
  readonly input: Uint8Array
  readonly error: Error
}

export interface FuzzRun {
  readonly inputs: number
  /** Blocks of code that ran; 0 where coverage did not guide. */
  readonly blocks: number
  readonly finding: Finding | undefined
}

export interface FuzzOptions {
  readonly seed: number
  /** Kept cases, to mutate too. */
  readonly cases: readonly Uint8Array[]
  /** By number of inputs alone a run is the same every time. By time it is guided by coverage. */
  readonly until: { readonly inputs: number } | { readonly ms: number }
  readonly onInput?: (input: Uint8Array) => void
}

const madeInputs = 64
const batchInputs = 32

/**
 * Tries inputs made by the target, kept cases and mutations of both, and stops at the first that breaks a promise.
 *
 * Guided by coverage, a mutation that reaches code which no input before it reached is kept to be mutated further. Counters are read once per batch, since
 * reading them costs more than most inputs; only a batch that shows something new is run again, one by one.
 */
export async function fuzz(target: Target, { seed, cases, until, onInput }: FuzzOptions): Promise<FuzzRun> {
  const draw = drawFrom(seed)
  const corpus = [...cases, ...fc.sample(target.inputs, { seed, numRuns: madeInputs })]
  const material = { words: target.words.map((word) => Buffer.from(word, 'latin1')), others: corpus, bytesMax: target.bytesMax }
  const ends = 'ms' in until ? performance.now() + until.ms : undefined
  const inputsMax = 'inputs' in until ? until.inputs : Number.POSITIVE_INFINITY
  using coverage = ends === undefined ? undefined : new Coverage()
  const attempt = async (input: Uint8Array): Promise<Error | undefined> => {
    onInput?.(input)
    return failureOf(target, input)
  }

  let inputs = 0
  let batch = [...corpus]
  while (inputs < inputsMax && (ends === undefined || performance.now() < ends)) {
    for (const input of batch) {
      inputs += 1
      const error = await attempt(input)
      if (error) return { inputs, blocks: coverage?.blocks ?? 0, finding: await shrunk(input, error, attempt) }
    }
    if (coverage && coverage.takeNew() > 0) {
      for (const input of batch) {
        await attempt(input)
        if (coverage.takeNew() > 0) corpus.push(input)
      }
    }
    batch = Array.from({ length: batchInputs }, () => mutate(corpus[draw(corpus.length)] ?? new Uint8Array(0), draw, material))
  }
  return { inputs, blocks: coverage?.blocks ?? 0, finding: undefined }
}

/** What is wrong with the target on this input. */
export async function failureOf(target: Target, input: Uint8Array, slowMs = slowMsDefault): Promise<Error | undefined> {
  try {
    const startedAt = performance.now()
    await target.check(input)
    if (performance.now() - startedAt < slowMs) return undefined
    const ms = await cpuMs(target, input)
    return ms < slowMs ? undefined : new Error(`${input.length} bytes take ${Math.round(ms)} ms`)
  } catch (error) {
    return error instanceof Error ? error : new Error(`thrown: ${String(error)}`)
  }
}

/** The least of three runs, in time of this process alone. */
async function cpuMs(target: Target, input: Uint8Array): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < 3; run += 1) {
    const before = process.cpuUsage()
    await target.check(input)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

async function shrunk(input: Uint8Array, error: Error, attempt: (input: Uint8Array) => Promise<Error | undefined>): Promise<Finding> {
  let last = error
  const small = await shrink(input, async (candidate) => {
    const failure = await attempt(candidate)
    last = failure ?? last
    return failure !== undefined
  })
  return { input: small, error: last }
}
