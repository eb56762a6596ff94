import type { SessionEvent, SignalEvent } from '@sallyport/contract'
import { allowed, blocked, other, severity, status, type Mapped } from './ocsf-classes.ts'

const logon = 1
const logoff = 2

/** Of the class Authentication: what the act is there, and how it went. */
const acts = {
  opened: { activity: logon, went: 'well' },
  claimed: { activity: other, name: 'Claim', went: 'well' },
  validated: { activity: other, name: 'Validate', went: 'well' },
  rotated: { activity: other, name: 'Rotate', went: 'well' },
  refreshed: { activity: other, name: 'Refresh', went: 'well' },
  'ownership-failed': { activity: other, name: 'Refresh', went: 'attacked' },
  refused: { activity: other, name: 'Refresh', went: 'refused' },
  uncertain: { activity: other, name: 'Refresh', went: 'unknown' },
  'reauth-required': { activity: logoff, went: 'ended' },
  reused: { activity: logoff, went: 'attacked' },
  revoked: { activity: logoff, went: 'ended' },
  quarantined: { activity: logoff, went: 'ended' },
  expired: { activity: logoff, went: 'ended' },
  'orphan-revoked': { activity: other, name: 'Give back a token', went: 'ended' },
  'orphan-lost': { activity: other, name: 'Give back a token', went: 'badly' },
} as const satisfies Record<SessionEvent['act'], { readonly activity: number; readonly name?: string; readonly went: keyof typeof ends }>

const ends = {
  well: { severity: severity.informational, ...allowed, status_id: status.success },
  ended: { severity: severity.informational, status_id: status.success },
  refused: { severity: severity.low, ...blocked, status_id: status.failure },
  unknown: { severity: severity.low, status_id: status.unknown },
  badly: { severity: severity.medium, status_id: status.failure },
  /** Someone had a handle who should not have it. */
  attacked: { severity: severity.medium, ...blocked, status_id: status.failure },
} as const

export function mapSession({ act, session, caller, issuer, subject, person, reason }: SessionEvent): Mapped {
  const { activity, went, ...named } = acts[act]
  const { severity, ...end } = ends[went]
  const agent = caller && `${caller.tenant}/${caller.agent}`
  const credential = caller?.certificate !== undefined && { credential_uid: caller.certificate }
  return {
    of: 'authentication',
    activity,
    ...('name' in named && { activityName: named.name }),
    severity,
    tenant: caller?.tenant,
    correlation: session,
    members: {
      ...end,
      // The person where the entry names one, else the agent that holds the session.
      user:
        subject === undefined
          ? { uid: agent ?? session, type_id: 4, ...credential }
          : { uid: subject, type_id: 1, ...(issuer !== undefined && { domain: issuer }) },
      ...(person !== undefined && { actor: { user: { name: person, type_id: 2 } } }),
      ...(agent !== undefined && { src_endpoint: { uid: caller?.certificate ?? agent, name: agent } }),
      service: { name: 'sallyport' },
      session: { uid: session, ...(issuer !== undefined && { issuer }) },
      status_code: act,
      ...(reason !== undefined && { status_detail: reason }),
    },
  }
}

/** Someone may have a handle who should not have it, or a session is kept from its person. */
export function mapSignal({ kind, tenant, agent, session, provider, count, seconds }: SignalEvent): Mapped {
  const name = agent === undefined ? tenant : `${tenant}/${agent}`
  return {
    of: 'authentication',
    activity: other,
    activityName: 'Signal',
    severity: severity.medium,
    tenant,
    correlation: session,
    members: {
      status_id: status.other,
      status: 'Seen',
      status_code: kind,
      status_detail: `${count} in ${seconds} s`,
      count,
      user: { uid: name ?? session ?? provider ?? 'unknown', type_id: agent === undefined ? other : 4 },
      service: { name: provider ?? 'sallyport' },
      ...(session !== undefined && { session: { uid: session } }),
    },
  }
}
