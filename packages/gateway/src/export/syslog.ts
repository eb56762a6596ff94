import type { LogEvent, SessionEvent } from '@sallyport/contract'
import { factsOf } from '../audit/entry-facts.ts'
import { printableLine } from '../printable.ts'
import type { ExportedEntry, Exporter } from './exported-entry.ts'
import { jsonLine } from './jsonl.ts'

/** "Log audit". @see RFC 5424 section 6.2.1 */
const facility = 13
const severities = { error: 3, warning: 4, notice: 5, informational: 6 } as const
/** The number that RFC 5612 reserves for documentation: the project has none of its own from IANA. */
const enterprise = 32473
/** What a receiver should be able to take (RFC 5425 section 4.3.1). Some make further messages of what is longer, with a text of a caller's making at their start. */
export const syslogMessageBytesMax = 8192
/** Of one value in the structured data, in UTF-16 units. */
export const structuredValueUnitsMax = 256

/** What stands in the structured data, beside the place of the entry. */
const named = ['tenant', 'agent', 'upstream', 'action', 'decision', 'code', 'request', 'approval', 'session'] as const

/**
 * A message by RFC 5424: the names of the entry as structured data, the entry itself in JSON as the text. An entry that would make it too long for a receiver is
 * left out of the text, and says so; its index stays.
 *
 * @see RFC 5424 section 6
 */
export function syslogMessage(entry: ExportedEntry, exporter: Exporter): string {
  const { index, event, decision, text } = entry
  const facts = factsOf(event ?? objectOf(text))
  const caller = factsOf(decision ?? {})
  const values = named.map((name) => [name, facts[name] ?? (name === 'decision' || name === 'code' ? undefined : caller[name])] as const)
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(facts.time) ? facts.time : '-'
  const priority = facility * 8 + severities[event ? severityOf(event) : 'warning']
  const head = `<${priority}>1 ${time} ${header(exporter.host, 255)} sallyport - ${header(facts.type ?? '-', 32)}`
  const place = structured('event', [['log', exporter.log], ['index', String(index)], ...values])
  const origin = `[origin software="sallyport" swVersion=${quoted(exporter.version)}]`
  const front = `${head} ${place}${origin} \uFEFF`
  const whole = `${front}${jsonLine(entry, exporter)}`
  if (Buffer.byteLength(whole) <= syslogMessageBytesMax) return whole
  return `${front}{"log":${JSON.stringify(exporter.log)},"index":${index},"tooLong":${Buffer.byteLength(text ?? '')}}`
}

function severityOf(event: LogEvent): keyof typeof severities {
  switch (event.type) {
    case 'decision':
      return event.decision === 'permit' ? 'informational' : event.decision === 'hold' ? 'notice' : 'warning'
    case 'refusal':
      return 'warning'
    case 'outcome':
      return event.result === 'answered' ? 'informational' : 'warning'
    case 'tool':
      return event.act === 'held' ? 'warning' : 'notice'
    case 'signal':
      return 'warning'
    case 'runtime':
      return event.act === 'silent' || event.act === 'gap' || event.act === 'dropped' ? 'warning' : 'informational'
    case 'record':
      return 'informational'
    case 'session':
      return severityOfSession(event.act)
    case 'gateway':
      return event.act === 'ledger-replaced' || event.act === 'thread-replaced' ? 'error' : 'notice'
    default:
      return 'notice'
  }
}

function severityOfSession(act: SessionEvent['act']): keyof typeof severities {
  if (['ownership-failed', 'refused', 'uncertain', 'reused', 'orphan-lost'].includes(act)) return 'warning'
  return ['validated', 'rotated', 'refreshed', 'claimed'].includes(act) ? 'informational' : 'notice'
}

function structured(id: string, values: readonly (readonly [name: string, value: string | undefined])[]): string {
  const written = values.flatMap(([name, value]) => (value === undefined ? [] : [` ${name}=${quoted(value)}`]))
  return `[${id}@${enterprise}${written.join('')}]`
}

/** @see RFC 5424 section 6.3.3 */
function quoted(value: string): string {
  const short = value.length > structuredValueUnitsMax ? `${value.slice(0, structuredValueUnitsMax - 1).toWellFormed()}…` : value
  return `"${printableLine(short).replace(/["\\\]]/g, '\\$&')}"`
}

/** A field of the header has printable US-ASCII alone. */
function header(text: string, lengthMax: number): string {
  const plain = text.replace(/[^\x21-\x7e]/g, '_').slice(0, lengthMax)
  return plain === '' ? '-' : plain
}

function objectOf(text: string | undefined): object {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
