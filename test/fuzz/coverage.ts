import { Session, type Profiler } from 'node:inspector'

/** Which blocks of the product's code have run, by V8's own counters: no code is changed for it. */
export class Coverage implements Disposable {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  get blocks(): number {
    return this.#seen.size
  }

  /** How many blocks ran since the last call that never ran before. A block counts anew when it runs twice as often as ever. */
  takeNew(): number {
    const before = this.#seen.size
    this.#session.post('Profiler.takePreciseCoverage', (_error: Error | null, taken: Profiler.TakePreciseCoverageReturnType | undefined) => {
      for (const script of taken?.result ?? []) {
        if (!script.url.includes('/packages/') || script.url.endsWith('.test.ts')) continue
        for (const { ranges } of script.functions) this.#note(script.scriptId, ranges)
      }
    })
    return this.#seen.size - before
  }

  [Symbol.dispose](): void {
    this.#session.disconnect()
  }

  #note(script: string, ranges: readonly Profiler.CoverageRange[]): void {
    for (const { startOffset, endOffset, count } of ranges) {
      if (count > 0) this.#seen.add(`${script}:${startOffset}-${endOffset}:${Math.floor(Math.log2(count))}`)
    }
  }
}
