import type {
  AdminEvent,
  ApprovalEvent,
  DecisionEvent,
  GatewayEvent,
  LogEvent,
  OutcomeEvent,
  RefusalEvent,
  ToolEvent,
  ToolsListedEvent,
} from '@sallyport/contract'
import { printableLine } from '../printable.ts'
import type { ExportedEntry, Exporter } from './exported-entry.ts'

/** The version of the Open Cybersecurity Schema Framework. @see https://schema.ocsf.io/1.8.0 */
export const ocsfVersion = '1.8.0'

/** Classes by their number, and the category of each. */
const classes = {
  other: { uid: 0, category: 0 },
  authentication: { uid: 3002, category: 3 },
  entityManagement: { uid: 3004, category: 3 },
  applicationLifecycle: { uid: 6002, category: 6 },
  apiActivity: { uid: 6003, category: 6 },
} as const

const severity = { informational: 1, low: 2, medium: 3 } as const
const status = { success: 1, failure: 2, other: 99 } as const
const other = 99
/** Of the profile "security control". */
const allowed = { action_id: 1, disposition_id: 1 } as const
const blocked = { action_id: 2, disposition_id: 2 } as const
/** Neither: a person is asked first. */
const delayed = { action_id: other, action: 'Held', disposition_id: 14 } as const
const entityActivity = { create: 1, update: 3, delete: 4, enroll: 6, enable: 8, disable: 9, activate: 10, suspend: 12 } as const

interface Mapped {
  readonly of: keyof typeof classes
  readonly activity: number
  /** For activity 99. */
  readonly activityName?: string
  readonly severity: number
  readonly members: Readonly<Record<string, unknown>>
  readonly tenant?: string | undefined
  readonly request?: string | undefined
}

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
      ...(mapped.request !== undefined && { correlation_uid: mapped.request }),
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
    request: event.request,
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
    request,
    members: {
      ...(decision ? callOf(decision) : unknownCall(request)),
      ...(result === 'refused' ? blocked : allowed),
      status_id: isAnswered ? status.success : result === 'unknown' ? 0 : status.failure,
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
    actor: { user: { uid: agent, name: caller.agent, type_id: 4, credential_uid: caller.certificate } },
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
  const common = { severity: severity.low, tenant, request } as const
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

function mapApproval({ approval, answer, person, note }: ApprovalEvent): Mapped {
  return {
    of: 'entityManagement',
    activity: other,
    activityName: answer === 'approved' ? 'Approve' : 'Deny',
    severity: severity.informational,
    members: {
      ...(answer === 'approved' ? { action_id: 1, disposition_id: 8 } : { action_id: 2, disposition_id: 25 }),
      actor: { user: { name: person, type_id: 1 } },
      entity: { type: 'approval', uid: approval },
      status_id: status.success,
      ...(note !== undefined && { comment: note }),
    },
  }
}

/** By the last word of an act, such as `agent.revoked`. */
const activities: Readonly<Record<string, number>> = {
  registered: entityActivity.create,
  'token-created': entityActivity.create,
  made: entityActivity.create,
  set: entityActivity.update,
  rotated: entityActivity.update,
  renewed: entityActivity.update,
  restored: entityActivity.update,
  recovered: entityActivity.update,
  removed: entityActivity.delete,
  lifted: entityActivity.delete,
  retired: entityActivity.disable,
  revoked: entityActivity.disable,
  reinstated: entityActivity.enable,
  enrolled: entityActivity.enroll,
  activated: entityActivity.activate,
}

function mapAct({ act, person, subject }: AdminEvent): Mapped {
  const [noun = act, verb = ''] = act.split('.')
  const activity = Object.hasOwn(activities, verb) ? (activities[verb] ?? other) : other
  const named = ['agent', 'name', 'revision', 'certificate', 'root', 'file', 'tenant', 'scope']
    .map((key) => subject[key])
    .find((value) => typeof value === 'string')
  const tenant = typeof subject['tenant'] === 'string' ? subject['tenant'] : undefined
  return {
    of: 'entityManagement',
    activity,
    ...(activity === other && { activityName: verb === '' ? act : verb }),
    // Whoever could do these could undo what the gateway protects.
    severity: ['secret', 'root', 'authority', 'configuration', 'block'].includes(noun) ? severity.medium : severity.informational,
    tenant,
    members: {
      actor: person === undefined ? { app_name: 'sallyport' } : { user: { name: person, type_id: 2 } },
      entity: { type: noun, name: typeof named === 'string' ? named : noun, data: subject },
      status_id: status.success,
    },
  }
}

function mapTool({ act, tenant, upstream, tool, digest, person }: ToolEvent): Mapped {
  return {
    of: 'entityManagement',
    activity: { pinned: entityActivity.create, held: entityActivity.suspend, accepted: entityActivity.activate }[act],
    severity: act === 'held' ? severity.medium : severity.informational,
    tenant,
    members: {
      ...(act === 'held' ? delayed : allowed),
      actor: person === undefined ? { app_name: 'sallyport' } : { user: { name: person, type_id: 2 } },
      entity: { type: 'tool', name: tool, uid: `${upstream}/${tool}`, version: digest },
      status_id: status.success,
    },
  }
}

function mapToolsListed({ tenant, upstream, tools }: ToolsListedEvent): Mapped {
  return {
    of: 'entityManagement',
    activity: other,
    activityName: 'List',
    severity: severity.informational,
    tenant,
    members: { actor: { app_name: 'sallyport' }, entity: { type: 'tools', name: upstream, data: { tools } }, status_id: status.success },
  }
}

function mapGateway({ act, version }: GatewayEvent): Mapped {
  return {
    of: 'applicationLifecycle',
    activity: act === 'started' ? 3 : act === 'stopped' ? 4 : 5,
    severity: act === 'started' || act === 'stopped' ? severity.informational : severity.medium,
    members: { app: { name: 'sallyport', version }, message: act, status_id: status.success },
  }
}

/** Milliseconds since the epoch. */
function timeOf(event: LogEvent | undefined, text: string | undefined): number {
  const [, written = ''] = event ? ['', event.time] : (/"time":"([^"]{24})"/.exec(text ?? '') ?? [])
  const ms = Date.parse(written)
  return Number.isNaN(ms) ? 0 : ms
}
