import type { Say } from '../scene.ts'

export interface Terms {
  /** Of one measurement, without its warming up. */
  readonly seconds: number
  readonly rounds: number
  readonly say: Say
}

/** What a section has found: the lines to read, and every number behind them. */
export interface Findings {
  readonly text: string
  readonly numbers: unknown
}

/** One after the other, as often as there are rounds: what disturbs the machine meanwhile falls on all of them. */
export async function interleaved<Subject extends { readonly name: string }, Result>(
  subjects: readonly Subject[],
  { rounds, say }: Terms,
  what: string,
  measure: (subject: Subject) => Promise<Result>,
): Promise<ReadonlyMap<Subject, readonly Result[]>> {
  const found = new Map<Subject, Result[]>(subjects.map((subject) => [subject, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const [subject, results] of found) {
      say(`${what}, round ${round} of ${rounds}: ${subject.name}`)
      results.push(await measure(subject))
    }
  }
  return found
}
