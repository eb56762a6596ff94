import type { AdminEvent, ApprovalEvent, GatewayEvent, ToolEvent, ToolsListedEvent } from '@sallyport/contract'
import { allowed, delayed, other, severity, status, type Mapped } from './ocsf-classes.ts'

const entityActivity = { create: 1, read: 2, update: 3, delete: 4, enroll: 6, enable: 8, disable: 9, activate: 10, suspend: 12 } as const

export function mapApproval({ approval, answer, person, note }: ApprovalEvent): Mapped {
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
  read: entityActivity.read,
  removed: entityActivity.delete,
  erased: entityActivity.delete,
  lifted: entityActivity.delete,
  retired: entityActivity.disable,
  revoked: entityActivity.disable,
  reinstated: entityActivity.enable,
  enrolled: entityActivity.enroll,
  activated: entityActivity.activate,
}

export function mapAct({ act, person, subject }: AdminEvent): Mapped {
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

export function mapTool({ act, tenant, upstream, tool, digest, person }: ToolEvent): Mapped {
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

export function mapToolsListed({ tenant, upstream, tools }: ToolsListedEvent): Mapped {
  return {
    of: 'entityManagement',
    activity: other,
    activityName: 'List',
    severity: severity.informational,
    tenant,
    members: { actor: { app_name: 'sallyport' }, entity: { type: 'tools', name: upstream, data: { tools } }, status_id: status.success },
  }
}

export function mapGateway({ act, version }: GatewayEvent): Mapped {
  return {
    of: 'applicationLifecycle',
    activity: act === 'started' ? 3 : act === 'stopped' ? 4 : 5,
    severity: act === 'started' || act === 'stopped' ? severity.informational : severity.medium,
    members: { app: { name: 'sallyport', version }, message: act, status_id: status.success },
  }
}
