import { createHash } from 'node:crypto'
import { parseAgentName, parseSpiffeId, parseThumbprint, type AgentName, type Thumbprint } from '@sallyport/contract'
import type { Proof, SessionOwner } from '../../packages/gateway/src/control/sessions/session.ts'

export function owner(agent: string): SessionOwner {
  const identity = parseSpiffeId(`spiffe://agents.test/tenant/acme/agent/${agent}`)
  if (!identity) throw new TypeError(agent)
  return { id: identity.id, tenant: identity.tenant, agent: identity.agent }
}

/** A certificate by the name of its key. */
export function thumbprint(key: string): Thumbprint {
  const parsed = parseThumbprint(createHash('sha256').update(key).digest('base64url'))
  if (!parsed) throw new TypeError(key)
  return parsed
}

export function proofOf(agent: string, key: string): Proof {
  return { ...owner(agent), thumbprint: thumbprint(key) }
}

export function agentName(text: string): AgentName {
  const parsed = parseAgentName(text)
  if (!parsed) throw new TypeError(text)
  return parsed
}
