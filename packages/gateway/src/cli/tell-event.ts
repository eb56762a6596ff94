import {
  unreachable,
  type AdminEvent,
  type DecisionEvent,
  type LogEvent,
  type OutcomeEvent,
  type RecordEvent,
  type RefusalEvent,
  type RuntimeEvent,
  type SessionEvent,
  type SignalEvent,
} from '@sallyport/contract'
import type { LogRecord } from '../audit/reader.ts'
import { shortText } from './show.ts'

/** Of the columns of a list of entries: index, time and type. */
const widths = { index: 6, type: 12 } as const

/** One entry of the log on one line. What is long is cut, unless it shall be full. */
export function tellRecord({ index, event }: LogRecord, { isFull }: { readonly isFull: boolean }): string {
  const line = `${String(index).padStart(widths.index)}  ${event.time}  ${event.type.padEnd(widths.type)}  ${tellEvent(event)}`
  return (isFull ? line : shortText(line)).replaceAll('\n', ' ')
}

/** What an entry says, without its time. */
export function tellEvent(event: LogEvent): string {
  switch (event.type) {
    case 'decision':
      return tellDecision(event)
    case 'refusal':
      return tellRefusal(event)
    case 'outcome':
      return tellOutcome(event)
    case 'approval':
      return `${event.answer} by ${event.person}${event.note === undefined ? '' : `, who notes: ${event.note}`}  approval ${event.approval}`
    case 'admin':
      return tellAct(event)
    case 'gateway':
      return `${event.act}, version ${event.version}, revision ${event.revision}`
    case 'tool':
      return `${event.act}  ${event.tenant}  ${event.upstream} ${event.tool}  ${event.digest}${event.person === undefined ? '' : `  by ${event.person}`}`
    case 'tools-listed':
      return `${event.tenant}  ${event.upstream}: every tool was seen; from here on a new one is held`
    case 'session':
      return tellSession(event)
    case 'signal':
      return tellSignal(event)
    case 'record':
      return tellRuntimeRecord(event)
    case 'runtime':
      return tellRuntime(event)
    default:
      return unreachable(event)
  }
}

/** PERMIT, DENY or HOLD, who asked for what, and why. */
function tellDecision({ decision, caller, upstream, action, resource, rules, code, approval, quotas, request }: DecisionEvent): string {
  const why = [
    ...(code === undefined ? [] : [code]),
    ...(rules.length === 0 ? [] : [`rule ${rules.join(', ')}`]),
    ...(code === 'policy.quota-exhausted' && quotas ? [`quota ${quotas.join(', ')}`] : []),
    ...(approval === undefined ? [] : [`approval ${approval}`]),
  ]
  const call = `${caller.tenant}/${caller.agent}  ${upstream} ${action} ${resource}`
  return `${decision.toUpperCase().padEnd(6)}  ${call}${why.length === 0 ? '' : `  (${why.join('; ')})`}  ${request}`
}

function tellRefusal({ caller, upstream, code, reason, request, count }: RefusalEvent): string {
  const who = caller.tenant === undefined ? `certificate ${caller.certificate}` : `${caller.tenant}/${caller.agent ?? '?'}`
  return `${who}  ${upstream === undefined ? '' : `${upstream}  `}${code}: ${reason}${count > 1 ? ` (${count} times)` : ''}${request === undefined ? '' : `  ${request}`}`
}

/** What became of a call that was permitted. */
export function tellOutcome({ result, status, code, reason, error, milliseconds, sent, decision, model, usage }: OutcomeEvent): string {
  const facts = [
    ...(status === undefined ? [] : [`status ${status}`]),
    ...(error === true ? ['the tool says it failed'] : []),
    ...(code === undefined ? [] : [code]),
    ...(reason === undefined ? [] : [reason]),
    ...(sent === false ? ['nothing was sent'] : []),
    ...(model === undefined ? [] : [model]),
    ...(usage === undefined ? [] : [`${usage.inputTokens} tokens in, ${usage.outputTokens} out`]),
    ...(milliseconds === undefined ? [] : [`${Math.round(milliseconds)} ms`]),
  ]
  return `${result}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}, of entry ${decision}`
}

function tellSession({ act, session, caller, generation, validation, isProbe, subject, person, reason }: SessionEvent): string {
  const facts = [
    ...(generation === undefined ? [] : [`generation ${generation}`]),
    ...(validation === undefined ? [] : [`validated by entry ${validation}`]),
    ...(isProbe === true ? ['the provider is asked again'] : []),
    ...(subject === undefined ? [] : [`for ${subject}`]),
    ...(person === undefined ? [] : [`by ${person}`]),
    ...(reason === undefined ? [] : [reason]),
  ]
  const who = caller === undefined ? '' : `  ${caller.tenant}/${caller.agent}`
  return `${act}  ${session}${who}${facts.length === 0 ? '' : `  (${facts.join('; ')})`}`
}

function tellSignal({ kind, tenant, agent, session, provider, count, seconds }: SignalEvent): string {
  const about = [...(tenant === undefined ? [] : [agent === undefined ? tenant : `${tenant}/${agent}`]), ...[session, provider].flatMap((name) => name ?? [])]
  return `${kind}  ${about.join('  ')}  (${count} in ${seconds} s)`
}

function tellRuntimeRecord({ caller, run, number, kind, facts, at, redacted }: RecordEvent): string {
  const named = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`)
  const withheld = redacted === undefined ? [] : [`${redacted} withheld`]
  return [`${caller.tenant}/${caller.agent}`, `says ${kind}`, ...named, ...withheld, `(at ${at}; number ${number} of run ${run})`].join('  ')
}

function tellRuntime({ act, caller, run, next, missing }: RuntimeEvent): string {
  const lost = missing === undefined ? '' : `, ${missing} records never came`
  return `${act}  ${caller.tenant}/${caller.agent}  run ${run}  (next is number ${next}${lost})`
}

function tellAct({ act, person, subject }: AdminEvent): string {
  const about = Object.entries(subject).flatMap(([name, value]) => (value === null ? [] : [`${name}=${String(value)}`]))
  return [act, ...about, ...(person === undefined ? [] : [`by ${person}`])].join('  ')
}
