import type { RecordEvent, RuntimeEvent } from '../events.ts'

/** Agents and open runs that are remembered; past it the oldest are forgotten and what follows of them is not checked. */
export const runsCheckedMax = 100_000

/**
 * Judges what runtimes recorded, in the order of the log: of each run the numbers follow from 1 on, but where a gap says how many never came; of each agent `sequence`
 * counts all records of all its runs; nothing is recorded before a run opens or after it has ended.
 */
export class RunCheck {
  /** By agent, how many records it has. */
  readonly #counts = new Map<string, number>()
  /** By agent and run, the next number. */
  readonly #next = new Map<string, number>()
  #hasForgotten = false

  /** Entries of these kinds could not be read: what is remembered may be wrong from here on. */
  forget(): void {
    this.#hasForgotten = true
    this.#counts.clear()
    this.#next.clear()
  }

  /** What is wrong with the entry, as the end of a sentence. */
  take(event: RecordEvent | RuntimeEvent): string | undefined {
    const agent = `${event.caller.tenant}/${event.caller.agent}`
    const run = `${agent} ${event.run}`
    const next = this.#next.get(run)
    return event.type === 'record' ? this.#takeRecord(event, agent, run, next) : this.#takeAct(event, agent, run, next)
  }

  #takeRecord({ number, sequence }: RecordEvent, agent: string, run: string, next: number | undefined): string | undefined {
    const count = this.#counts.get(agent) ?? (this.#hasForgotten ? sequence - 1 : 0)
    if (sequence !== count + 1) return `is record ${sequence} of ${agent}, which has ${count} in front of it`
    if (next === undefined && !this.#hasForgotten) return `is a record of ${agent} in a run that is not open`
    if (next !== undefined && number !== next) return `has number ${number} in its run of ${agent}, where ${next} follows and no gap is told`
    this.#counts.delete(agent)
    this.#keep(this.#counts, agent, sequence)
    this.#keep(this.#next, run, number + 1)
    return undefined
  }

  #takeAct({ act, next: said, missing = 0 }: RuntimeEvent, agent: string, run: string, next: number | undefined): string | undefined {
    if (act === 'opened') {
      if (next !== undefined || said !== 1) return `opens a run of ${agent} that is open already, or not at number 1`
      this.#keep(this.#next, run, 1)
      return undefined
    }
    if (next === undefined) return this.#hasForgotten ? undefined : `is about a run of ${agent} that is not open`
    if ((act === 'gap') !== missing > 0) return `tells of a gap without its size, or of a size without a gap`
    if (said !== next + missing) return `says that ${said} is the next number of a run of ${agent}, where it is ${next + missing}`
    if (act === 'closed' || act === 'dropped') this.#next.delete(run)
    else this.#keep(this.#next, run, said)
    return undefined
  }

  #keep(map: Map<string, number>, key: string, value: number): void {
    map.set(key, value)
    if (map.size <= runsCheckedMax) return
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
    this.#hasForgotten = true
  }
}
