import { parseSpiffeId, parseThumbprint } from '@sallyport/contract'
import type { SessionRecord, SessionState } from '../control/sessions/session-record.ts'
import { bytes, damaged, optionalText, text, wholeNumber, type Row } from './row.ts'

/** Of the table `sessions`, in its order. */
export const sessionColumns = [
  'id',
  'tenant',
  'agent',
  'identity',
  'issuer',
  'subject',
  'scopes',
  'person',
  'state',
  'reason',
  'certificate',
  'generation',
  'handle_made_at',
  'is_handle_used',
  'sealed_handle',
  'sealed_token',
  'fence',
  'attempts',
  'held_until',
  'opened_at',
  'expires_at',
  'client',
  'resource',
] as const

export function rowOfSession(session: SessionRecord): Readonly<Record<(typeof sessionColumns)[number], string | number | Uint8Array | null>> {
  return {
    id: session.id,
    tenant: session.owner.tenant,
    agent: session.owner.agent,
    identity: session.owner.id,
    issuer: session.issuer,
    subject: session.subject,
    scopes: JSON.stringify(session.scopes),
    person: session.person ?? null,
    state: session.state,
    reason: session.reason ?? null,
    certificate: session.certificate ?? null,
    generation: session.generation,
    handle_made_at: session.handleMadeAt,
    is_handle_used: session.isHandleUsed ? 1 : 0,
    sealed_handle: session.sealedHandle ?? null,
    sealed_token: session.sealedToken ?? null,
    fence: session.fence,
    attempts: session.attempts,
    held_until: session.heldUntil,
    opened_at: session.openedAt,
    expires_at: session.expiresAt,
    client: session.client?.id ?? null,
    resource: session.client?.resource ?? null,
  }
}

/** @throws Fault when it holds what was never written there */
export function sessionOfRow(row: Row): SessionRecord {
  const identity = parseSpiffeId(text(row, 'identity')) ?? damaged('identity')
  const certificate = optionalText(row, 'certificate')
  return {
    id: text(row, 'id'),
    owner: { id: identity.id, tenant: identity.tenant, agent: identity.agent },
    issuer: text(row, 'issuer'),
    subject: text(row, 'subject'),
    scopes: scopesIn(row),
    person: optionalText(row, 'person'),
    ...clientIn(row),
    state: stateIn(row),
    reason: optionalText(row, 'reason'),
    certificate: certificate === undefined ? undefined : (parseThumbprint(certificate) ?? damaged('certificate')),
    generation: wholeNumber(row, 'generation'),
    handleMadeAt: wholeNumber(row, 'handle_made_at'),
    isHandleUsed: wholeNumber(row, 'is_handle_used') !== 0,
    sealedHandle: bytes(row, 'sealed_handle'),
    sealedToken: bytes(row, 'sealed_token'),
    fence: wholeNumber(row, 'fence'),
    attempts: wholeNumber(row, 'attempts'),
    heldUntil: wholeNumber(row, 'held_until'),
    openedAt: wholeNumber(row, 'opened_at'),
    expiresAt: wholeNumber(row, 'expires_at'),
  }
}

function clientIn(row: Row): Pick<SessionRecord, 'client'> {
  const [id, resource] = [optionalText(row, 'client'), optionalText(row, 'resource')]
  if (id === undefined && resource === undefined) return {}
  return { client: { id: id ?? damaged('client'), resource: resource ?? damaged('resource') } }
}

function stateIn(row: Row): SessionState {
  const value = row['state']
  switch (value) {
    case 'revoked':
    case 'reauth':
    case 'ready':
    case 'active':
    case 'refreshing':
    case 'uncertain':
      return value
    default:
      return damaged('state')
  }
}

function scopesIn(row: Row): readonly string[] {
  const value: unknown = JSON.parse(text(row, 'scopes'))
  return Array.isArray(value) && value.every((scope) => typeof scope === 'string') ? value : damaged('scopes')
}
