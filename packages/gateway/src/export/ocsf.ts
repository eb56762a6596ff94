import type { DecisionEvent, LogEvent, OutcomeEvent, RefusalEvent } from '@sallyport/contract'
import { printableLine } from '../printable.ts'
import type { ExportedEntry, Exporter } from './exported-entry.ts'
import { allowed, blocked, classes, delayed, other, severity, status, type Mapped } from './ocsf-classes.ts'
import { mapAct, mapApproval, mapGateway, mapTool, mapToolsListed } from './ocsf-entities.ts'
import { mapRecord, mapRuntime } from './ocsf-runtimes.ts'
import { mapSession, mapSignal } from './ocsf-sessions.ts'

/** The version of the Open Cybersecurity Schema Framework. @see https://schema.ocsf.io/1.8.0 */
export const ocsfVersion = '1.8.0'

/** The entry as one OCSF event in JSON; the entry itself, whole, is its `raw_data`. */
export function ocsfEvent(entry: ExportedEntry, exporter: Exporter): string {
  const { event, index, text } = entry
  const mapped = event ? mapEvent(event, entry.decision) : unknownEntry
  const { uid, category } = classes[mapped.of]
  const value = {
    category_uid: category,
    class_uid: uid,
    activity_id: mapped.activity,
    ...(mapped.activityName !== undefined && { activity_name: mapped.activityName }),
    type_uid: uid * 100 + mapped.activity,
    severity_id: mapped.severity,
    time: timeOf(event, text),
    metadata: {
      version: ocsfVersion,
      product: { name: 'Sallyport', vendor_name: 'Sallyport', version: exporter.version },
      profiles: ['security_control'],
      uid: `${exporter.log}/${index}`,
      sequence: index,
      log_name: exporter.log,
      ...(event && { event_code: event.type }),
      ...(mapped.tenant !== undefined && { tenant_uid: mapped.tenant }),
      ...(mapped.correlation !== undefined && { correlation_uid: mapped.correlation }),
    },
    ...mapped.members,
    ...(text !== undefined && { raw_data: text, raw_data_size: Buffer.byteLength(text) }),
  }
  return printableLine(JSON.stringify(value))
}

const unknownEntry: Mapped = { of: 'other', activity: other, activityName: 'Unknown entry', severity: severity.informational, members: {} }

function mapEvent(event: LogEvent, decision: DecisionEvent | undefined): Mapped {
  switch (event.type) {
    case 'decision':
      return mapDecision(event)
    case 'refusal':
      return mapRefusal(event)
    case 'outcome':
      return mapOutcome(event, decision)
    case 'approval':
      return mapApproval(event)
    case 'admin':
      return mapAct(event)
    case 'tool':
      return mapTool(event)
    case 'tools-listed':
      return mapToolsListed(event)
    case 'session':
      return mapSession(event)
    case 'signal':
      return mapSignal(event)
    case 'record':
      return mapRecord(event)
    case 'runtime':
      return mapRuntime(event)
    case 'gateway':
      return mapGateway(event)
    default:
      return unknownEntry
  }
}

function mapDecision(event: DecisionEvent): Mapped {
  const { decision, code, reason, rules, revision } = event
  return {
    of: 'apiActivity',
    activity: other,
    activityName: 'Decide',
    severity: decision === 'permit' ? severity.informational : severity.low,
    tenant: event.caller.tenant,
    correlation: event.request,
    members: {
      ...callOf(event),
      ...{ permit: allowed, deny: blocked, hold: delayed }[decision],
      status_id: { permit: status.success, deny: status.failure, hold: status.other }[decision],
      ...(decision === 'hold' && { status: 'Held' }),
      ...(code !== undefined && { status_code: code }),
      ...(reason !== undefined && { status_detail: reason }),
      policy: { uid: revision, ...(rules.length > 0 && { name: rules.join(', ') }) },
    },
  }
}

function mapOutcome({ request, result, status: http, code, reason, milliseconds }: OutcomeEvent, decision: DecisionEvent | undefined): Mapped {
  const isAnswered = result === 'answered'
  return {
    of: 'apiActivity',
    activity: other,
    activityName: 'Conclude',
    severity: isAnswered ? severity.informational : severity.low,
    tenant: decision?.caller.tenant,
    correlation: request,
    members: {
      ...(decision ? callOf(decision) : unknownCall(request)),
      ...(result === 'refused' ? blocked : allowed),
      status_id: isAnswered ? status.success : result === 'unknown' ? status.unknown : status.failure,
      ...(code !== undefined && { status_code: code }),
      ...(reason !== undefined && { status_detail: reason }),
      ...(http !== undefined && { http_response: { code: http } }),
      ...(milliseconds !== undefined && { duration: Math.round(milliseconds) }),
    },
  }
}

/** Who asked whom for what. */
function callOf({ caller, upstream, action, resource, request }: DecisionEvent): object {
  const agent = `${caller.tenant}/${caller.agent}`
  return {
    actor: {
      user: { uid: agent, name: caller.agent, type_id: 4, credential_uid: caller.certificate },
      ...(caller.session !== undefined && { session: { uid: caller.session } }),
    },
    api: { operation: action, service: { name: upstream }, request: { uid: request } },
    src_endpoint: { uid: caller.certificate, name: agent },
    resources: [{ name: resource }],
  }
}

function unknownCall(request: string): object {
  return { actor: { app_name: 'unknown' }, api: { operation: 'unknown', request: { uid: request } }, src_endpoint: { name: 'unknown' } }
}

/** Whoever is not known has failed to authenticate; what a known agent asks for is a call. */
function mapRefusal({ caller, code, reason, request, count, upstream }: RefusalEvent): Mapped {
  const { certificate, tenant, agent } = caller
  const name = tenant === undefined || agent === undefined ? undefined : `${tenant}/${agent}`
  const user = { uid: name ?? certificate, ...(agent !== undefined && { name: agent }), type_id: 4, credential_uid: certificate }
  const source = { uid: certificate, ...(name !== undefined && { name }) }
  const refusal = { ...blocked, status_id: status.failure, status_code: code, status_detail: reason, count }
  const common = { severity: severity.low, tenant, correlation: request } as const
  if (code.startsWith('identity.')) {
    const members = { user, src_endpoint: source, service: { name: 'sallyport' }, auth_protocol_id: other, auth_protocol: 'mTLS', ...refusal }
    return { of: 'authentication', activity: 1, ...common, members }
  }
  const api = {
    operation: 'unknown',
    ...(upstream !== undefined && { service: { name: upstream } }),
    ...(request !== undefined && { request: { uid: request } }),
  }
  return { of: 'apiActivity', activity: other, activityName: 'Refuse', ...common, members: { actor: { user }, api, src_endpoint: source, ...refusal } }
}

/** Milliseconds since the epoch. */
function timeOf(event: LogEvent | undefined, text: string | undefined): number {
  const [, written = ''] = event ? ['', event.time] : (/"time":"([^"]{24})"/.exec(text ?? '') ?? [])
  const ms = Date.parse(written)
  return Number.isNaN(ms) ? 0 : ms
}
