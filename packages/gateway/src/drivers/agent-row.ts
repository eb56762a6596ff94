import { parseAgentName, parseTenantName, parseThumbprint, type Thumbprint } from '@sallyport/contract'
import type { AgentKey, Block, IssuedCertificate, RegisteredAgent, RosterState } from '../control/authority/agent-store.ts'
import { damaged, text, wholeNumber, type Row } from './row.ts'

export function agentKey(row: Row): AgentKey {
  return {
    tenant: parseTenantName(text(row, 'tenant')) ?? damaged('tenant'),
    agent: parseAgentName(text(row, 'agent')) ?? damaged('agent'),
  }
}

export function registeredAgent(row: Row): RegisteredAgent {
  return { ...agentKey(row), standing: standingIn(row), registeredAtMs: wholeNumber(row, 'registered_at') }
}

export function standingIn(row: Row): RegisteredAgent['standing'] {
  const value = row['standing']
  return value === 'active' || value === 'revoked' ? value : damaged('standing')
}

/** An empty name stands for every one. */
export function blockKey(block: Block): { tenant: string; agent: string } {
  return { tenant: block.scope === 'all' ? '' : block.tenant, agent: block.scope === 'agent' ? block.agent : '' }
}

export function blockOf(row: Row): Block {
  if (row['tenant'] === '') return { scope: 'all' }
  if (row['agent'] !== '') return { scope: 'agent', ...agentKey(row) }
  return { scope: 'tenant', tenant: parseTenantName(text(row, 'tenant')) ?? damaged('tenant') }
}

export function revokedCertificate(row: Row): RosterState['revokedCertificates'][number] {
  return { thumbprint: thumbprintIn(row, 'thumbprint'), notAfterMs: wholeNumber(row, 'not_after') }
}

export function issuedCertificate(row: Row): IssuedCertificate {
  return {
    ...agentKey(row),
    thumbprint: thumbprintIn(row, 'thumbprint'),
    issuer: thumbprintIn(row, 'issuer'),
    previous: row['previous'] === null ? undefined : thumbprintIn(row, 'previous'),
    issuedAtMs: wholeNumber(row, 'issued_at'),
    notAfterMs: wholeNumber(row, 'not_after'),
    revokedAtMs: row['revoked_at'] === null ? undefined : wholeNumber(row, 'revoked_at'),
  }
}

function thumbprintIn(row: Row, column: string): Thumbprint {
  return parseThumbprint(text(row, column)) ?? damaged(column)
}
