import type { LogView } from './audit/log-files.ts'
import { readForward } from './audit/reader.ts'
import type { DumpedRuns, RunState } from './audit/runs/run-state.ts'
import type { PolicySnapshot } from './policy/snapshot.ts'
import { PolicyState, replay } from './policy/state.ts'
import { restoreState, type StateSnapshot } from './policy/state-snapshot.ts'

export interface Replayed {
  readonly state: PolicyState
  /** Permits without an outcome: the id of the request, by index. */
  readonly open: Map<number, string>
}

/** What replaying the first `size` entries has come to. */
export interface ReplayedPart {
  readonly size: number
  readonly state: StateSnapshot
  readonly open: ReadonlyMap<number, string>
  readonly runs: DumpedRuns
}

/**
 * Brings the log to the state, that of the runs of runtimes in `runs` too, that the next decision sees: all of it, or what `from` stands for and the entries behind that; to just below `until`, if that is given.
 *
 * @throws Fault when an entry cannot be read
 */
export async function replayLog(
  view: LogView,
  from: ReplayedPart | undefined,
  policy: PolicySnapshot,
  runs: RunState,
  until = Number.POSITIVE_INFINITY,
): Promise<Replayed> {
  const state = from ? restoreState(from.state, policy) : new PolicyState()
  const open = new Map(from?.open)
  if (from) runs.restore(from.runs)
  for await (const { index, event } of readForward(view, { index: from?.size ?? 0 })) {
    if (index >= until) break
    replay(state, event, policy)
    if (event.type === 'record' || event.type === 'runtime') runs.apply(event, Promise.resolve(index))
    if (event.type === 'decision' && event.decision === 'permit') open.set(index, event.request)
    if (event.type === 'outcome') open.delete(event.decision)
    if (event.type !== 'gateway') continue
    if (event.act === 'started') open.clear()
    for (const unanswered of event.unanswered ?? []) open.delete(unanswered)
  }
  return { state, open }
}
