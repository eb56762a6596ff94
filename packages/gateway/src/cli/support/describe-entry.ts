import type { LogEvent } from '@sallyport/contract'
import type { LogRecord } from '../../audit/reader.ts'
import type { ShowName } from './pseudonyms.ts'

/** Members whose values the gateway itself has chosen, or that the configuration names; the kind of a record is the agent's own word. */
const shown: ReadonlySet<string> = new Set([
  'v',
  'type',
  'time',
  'request',
  'upstream',
  'revision',
  'decision',
  'code',
  'rules',
  'shadow',
  'quotas',
  'reserved',
  'approval',
  'approvalExpires',
  'count',
  'result',
  'status',
  'error',
  'requestBytes',
  'answerBytes',
  'milliseconds',
  'sent',
  'usage',
  'answer',
  'act',
  'version',
  'unanswered',
  'session',
  'generation',
  'validation',
  'isProbe',
  'kind',
  'seconds',
  'run',
  'number',
  'sequence',
  'next',
  'missing',
  'redacted',
])

/**
 * An entry of the log by its shape: what agents, upstreams and persons wrote, such as actions, resources, facts, reasons and notes, is described by its type and
 * length. What is not known to be harmless is described too.
 */
export function describeEntry({ index, event }: LogRecord, showName: ShowName): object {
  const members = Object.entries(event).map(([name, value]): readonly [string, unknown] => {
    if (shown.has(name) && !(event.type === 'record' && name === 'kind')) return [name, value]
    if (name === 'person' && typeof value === 'string') return [name, showName('person', value)]
    if (name === 'caller') return [name, callerOf(event, showName)]
    return [name, shapeOf(value)]
  })
  return { index, ...Object.fromEntries(members) }
}

function callerOf(event: LogEvent, showName: ShowName): object {
  if (!('caller' in event) || !event.caller) return {}
  const { tenant, agent } = event.caller
  return { ...(tenant !== undefined && { tenant: showName('tenant', tenant) }), ...(agent !== undefined && { agent: showName('agent', agent) }) }
}

/** Members of one value that are described. */
const membersMax = 64

/** Text as its length, names of members as they are. */
export function shapeOf(value: unknown): unknown {
  if (typeof value === 'string') return `text of ${value.length}`
  if (Array.isArray(value)) return `list of ${value.length}`
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, membersMax)
      .map(([name, member]) => [isFieldName(name) ? name : `name of ${name.length}`, shapeOf(member)]),
  )
}

/** Paths of facts name arguments, and names of arguments are the agent's own words. */
function isFieldName(name: string): boolean {
  return ['name', 'tenant', 'agent', 'revision', 'before', 'file', 'sealed', 'certificate', 'fingerprint', 'version'].includes(name)
}
