import type { RecordEvent, RuntimeEvent } from '@sallyport/contract'
import { allowed, other, severity, status, type Mapped } from './ocsf-classes.ts'

/** A claim by the agent's host: what its runtime says that it saw. */
export function mapRecord({ caller, run, kind, facts, request }: RecordEvent): Mapped {
  return {
    of: 'apiActivity',
    activity: other,
    activityName: 'Record',
    severity: severity.informational,
    tenant: caller.tenant,
    correlation: run,
    members: {
      ...allowed,
      ...runtimeOf(caller),
      api: { operation: kind, service: { name: 'runtime' }, request: { uid: request } },
      status_id: status.other,
      status: 'Claimed',
      unmapped: facts,
    },
  }
}

/** Of the class Application Lifecycle. */
const starts = 3
const stops = 4

export function mapRuntime({ act, caller, run, next, missing }: RuntimeEvent): Mapped {
  const isOdd = act === 'silent' || act === 'gap' || act === 'dropped'
  const activity = act === 'opened' ? starts : act === 'closed' ? stops : other
  return {
    of: 'applicationLifecycle',
    activity,
    ...(activity === other && { activityName: act }),
    severity: isOdd ? severity.medium : severity.informational,
    tenant: caller.tenant,
    correlation: run,
    members: {
      app: { name: `runtime of ${caller.tenant}/${caller.agent}`, uid: run },
      status_id: isOdd ? status.failure : status.success,
      status_code: act,
      status_detail: missing === undefined ? `next is number ${next}` : `${missing} records never came; next is number ${next}`,
    },
  }
}

function runtimeOf({ tenant, agent, certificate }: RecordEvent['caller']): object {
  const name = `${tenant}/${agent}`
  return {
    actor: { user: { uid: name, name: agent, type_id: 4, ...(certificate !== undefined && { credential_uid: certificate }) } },
    src_endpoint: { ...(certificate !== undefined && { uid: certificate }), name },
  }
}
