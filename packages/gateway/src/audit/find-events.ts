import type { LogEvent } from '@sallyport/contract'
import type { LogView } from './log-files.ts'
import { readBackward, type LogRecord } from './reader.ts'

/** What is asked of each entry; every member that is given must fit. */
export interface EventFilter {
  readonly type?: LogEvent['type']
  readonly request?: string
  readonly approval?: string
  readonly tenant?: string
  readonly agent?: string
  readonly upstream?: string
  readonly action?: string
  readonly decision?: 'deny' | 'hold' | 'permit'
  readonly code?: string
  readonly rule?: string
  readonly since?: string
  readonly until?: string
}

/** The entries that fit, newest first, at most `limit`. */
export async function findEvents(view: LogView, filter: EventFilter, limit: number): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  for await (const record of readBackward(view)) {
    if (filter.since !== undefined && record.event.time < filter.since) break
    if (fits(record.event, filter)) found.push(record)
    if (found.length >= limit) break
  }
  return found
}

function fits(event: LogEvent, filter: EventFilter): boolean {
  const fields: {
    readonly caller?: { readonly tenant?: string | undefined; readonly agent?: string | undefined } | undefined
    readonly rules?: readonly string[]
  } & Readonly<Record<string, unknown>> = event
  const { tenant, agent, rule, since, until, ...own } = filter
  if (since !== undefined && event.time < since) return false
  if (until !== undefined && event.time > until) return false
  if (tenant !== undefined && (fields.caller?.tenant ?? fields['tenant']) !== tenant) return false
  if (agent !== undefined && fields.caller?.agent !== agent) return false
  if (rule !== undefined && !fields.rules?.includes(rule)) return false
  return Object.entries(own).every(([name, value]) => value === undefined || fields[name] === value)
}
