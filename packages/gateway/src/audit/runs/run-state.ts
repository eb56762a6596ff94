import { createHash } from 'node:crypto'
import { canonicalJson, recordLimits, type RecordEvent, type RuntimeEvent, type RuntimeRecord } from '@sallyport/contract'

/** Runs that are open at once, of one agent and of all together. */
export const runsPerAgentMax = 16
export const runsMax = 10_000

const minute = 60_000

/** A record that may come again, where the answer was lost. */
export interface KeptRecord {
  readonly digest: string
  /** Of its entry, once that is durable. */
  readonly index: Promise<number>
}

export interface OpenRun {
  readonly run: string
  /** The number of the next record. */
  next: number
  heardAtMs: number
  isSilent: boolean
  /** Resolves when the log has the run. */
  readonly opened: Promise<number>
  /** As many as one message can hold; their numbers end before `next`. */
  newest: KeptRecord[]
}

interface RecordingAgent {
  /** Records in the log. */
  count: number
  /** What its runs have written of late, in entries; leaks away. */
  level: number
  levelAtMs: number
  readonly runs: Map<string, OpenRun>
}

export interface RunOwner {
  readonly tenant: string
  readonly agent: string
}

/**
 * Which runs of which agents are open, up to which number, made of the log alone: the entries that concern it, applied in their order, give the state that the next
 * message meets. Only when a run was heard last is not in the log, since heartbeats have no entries: after a start each run has its time anew.
 */
export class RunState {
  readonly #agents = new Map<string, RecordingAgent>()
  readonly #perMinute: number
  #open = 0

  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  get isFull(): boolean {
    return this.#open >= runsMax
  }

  runsOf(owner: RunOwner): ReadonlyMap<string, OpenRun> {
    return this.#agents.get(keyOf(owner))?.runs ?? new Map<string, OpenRun>()
  }

  countOf(owner: RunOwner): number {
    return this.#agents.get(keyOf(owner))?.count ?? 0
  }

  *all(): Generator<readonly [RunOwner, OpenRun]> {
    for (const [key, { runs }] of this.#agents) {
      const [tenant = '', agent = ''] = key.split('/')
      for (const run of runs.values()) yield [{ tenant, agent }, run]
    }
  }

  /** Milliseconds until the agent's runs may write so many entries; 0: now. */
  waitFor(owner: RunOwner, entries: number, nowMs: number): number {
    const over = this.#levelOf(this.#agents.get(keyOf(owner)), nowMs) + entries - 2 * this.#perMinute
    return over <= 0 ? 0 : Math.ceil((over * minute) / this.#perMinute)
  }

  /** @param index of the entry, once it is durable */
  apply(event: RecordEvent | RuntimeEvent, index: Promise<number>): void {
    const nowMs = Date.parse(event.time)
    const key = keyOf(event.caller)
    const agent = this.#agents.get(key) ?? { count: 0, level: 0, levelAtMs: nowMs, runs: new Map() }
    this.#agents.set(key, agent)
    if (event.type === 'record' || (event.act !== 'silent' && event.act !== 'dropped')) {
      agent.level = this.#levelOf(agent, nowMs) + 1
      agent.levelAtMs = nowMs
    }
    if (event.type === 'runtime') return this.#applyAct(agent.runs, event, index, nowMs)
    agent.count = event.sequence
    const run = agent.runs.get(event.run)
    if (!run) return
    run.newest.push({ digest: digestOf(event), index })
    if (run.newest.length > recordLimits.perMessageMax) run.newest.shift()
    run.next = event.number + 1
  }

  /** Whatever was heard, and when, before this moment is not known. */
  hearAll(nowMs: number): void {
    for (const [, run] of this.all()) run.heardAtMs = nowMs
  }

  #applyAct(runs: Map<string, OpenRun>, { act, run: name, next }: RuntimeEvent, index: Promise<number>, nowMs: number): void {
    const run = runs.get(name)
    if (act === 'opened') {
      if (!run) this.#open += 1
      runs.set(name, { run: name, next, heardAtMs: nowMs, isSilent: false, opened: index, newest: [] })
      return
    }
    if (!run) return
    if (act === 'closed' || act === 'dropped') {
      runs.delete(name)
      this.#open -= 1
      return
    }
    if (act === 'gap') run.newest = []
    if (act === 'silent') run.isSilent = true
    if (act === 'returned') run.isSilent = false
    run.next = next
  }

  #levelOf(agent: RecordingAgent | undefined, nowMs: number): number {
    return agent ? Math.max(0, agent.level - (Math.max(0, nowMs - agent.levelAtMs) * this.#perMinute) / minute) : 0
  }
}

/** Of what a record says, as the log has it: equal records have equal digests. */
export function digestOf({ at, kind, facts }: RuntimeRecord): string {
  return createHash('sha256').update(canonicalJson({ at, kind, facts })).digest('base64url')
}

/** Names hold no slash. */
function keyOf({ tenant, agent }: RunOwner): string {
  return `${tenant}/${agent}`
}
