import { Fault, parseSpiffeId, parseThumbprint } from '@sallyport/contract'
import type { SessionRecord, SessionState } from '../control/sessions/session-record.ts'

/** A row of the table `sessions`, which has the same columns in every driver. Numbers can be whole numbers as text. */
export type SessionRow = Readonly<Record<string, unknown>>

/** In the order of the table. */
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
  }
}

/** @throws Fault when it holds what was never written there */
export function sessionOfRow(row: SessionRow): SessionRecord {
  const identity = parseSpiffeId(text(row, 'identity')) ?? damaged('identity')
  const certificate = optional(row, 'certificate')
  return {
    id: text(row, 'id'),
    owner: { id: identity.id, tenant: identity.tenant, agent: identity.agent },
    issuer: text(row, 'issuer'),
    subject: text(row, 'subject'),
    scopes: scopesIn(row),
    person: optional(row, 'person'),
    state: stateIn(row),
    reason: optional(row, 'reason'),
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

export function wholeNumber(row: SessionRow, column: string): number {
  const value = Number(row[column])
  return Number.isSafeInteger(value) && row[column] !== null ? value : damaged(column)
}

export function text(row: SessionRow, column: string): string {
  const value = row[column]
  return typeof value === 'string' ? value : damaged(column)
}

export function bytes(row: SessionRow, column: string): Uint8Array | undefined {
  const value = row[column]
  return value === null || value instanceof Uint8Array ? (value ?? undefined) : damaged(column)
}

function optional(row: SessionRow, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column)
}

function stateIn(row: SessionRow): SessionState {
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

function scopesIn(row: SessionRow): readonly string[] {
  const value: unknown = JSON.parse(text(row, 'scopes'))
  return Array.isArray(value) && value.every((scope) => typeof scope === 'string') ? value : damaged('scopes')
}

function damaged(column: string): never {
  throw new Fault(`the database is damaged: column ${column} of sessions holds what was never written there`, 'not-done')
}
