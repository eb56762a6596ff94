import type { LogView } from '../../audit/log-files.ts'
import { readForward, readRecord } from '../../audit/reader.ts'
import type { Found } from './report.ts'
import type { Span } from './foreign-log.ts'

export interface OwnHunt {
  readonly refreshes: number
  readonly validations: number
  readonly found: readonly Found[]
}

/**
 * Our own refreshes without a validation of their own. Each names the entry that allowed it: that must be there, come before, be of the same session, and have
 * allowed no other.
 */
export async function huntOwnLog(view: LogView, { from, to }: Span): Promise<OwnHunt> {
  const used = new Map<number, number>()
  const found: Found[] = []
  let refreshes = 0
  for await (const { index, event } of readForward(view, { time: new Date(from).toISOString() })) {
    if (Date.parse(event.time) > to) break
    if (event.type !== 'session' || event.act !== 'refreshed') continue
    refreshes += 1
    const why = await objectionTo(view, used, index, event)
    if (why !== undefined) {
      const agent = event.caller && `${event.caller.tenant}/${event.caller.agent}`
      found.push({ session: event.session, time: event.time, ...(agent !== undefined && { agent }), place: `entry ${index}`, why })
    }
  }
  return { refreshes, validations: used.size, found }
}

async function objectionTo(
  view: LogView,
  used: Map<number, number>,
  index: number,
  { session, validation, generation }: { readonly session: string; readonly validation?: number | undefined; readonly generation?: number | undefined },
): Promise<string | undefined> {
  if (validation === undefined) return 'it names no validation'
  if (validation >= index) return `the validation that it names, entry ${validation}, does not come before it`
  const named = (await readRecord(view, validation))?.event
  if (named?.type !== 'session' || named.act !== 'validated') return `entry ${validation}, which it names, is no validation`
  if (named.session !== session) return `the validation that it names, entry ${validation}, is of another session`
  const before = used.get(validation)
  // The same answer given again, where the first one was lost, names the same validation.
  if (before !== undefined && before !== generation) return `its validation, entry ${validation}, had allowed another refresh`
  used.set(validation, generation ?? -1)
  return undefined
}
