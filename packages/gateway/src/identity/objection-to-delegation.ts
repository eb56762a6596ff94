import { ticketLimits, type AgentIdentity } from '@sallyport/contract'
import type { Principal } from './identify.ts'

/** What of a session's scopes is passed on: never more than it has. Without a list, all of it. */
export function scopesPassedOn(scopes: readonly string[], most: readonly string[] | undefined): readonly string[] {
  return scopes.filter((scope) => most?.includes(scope) ?? true)
}

/**
 * Why this agent cannot pass its session on to another, whatever the rules say; undefined when it can.
 *
 * A session stays within its tenant, comes to no agent twice and goes through a bounded number of hands. Whoever passes it on stays in the chain: nobody can act
 * in the name of another agent.
 */
export function objectionToDelegation({ id, tenant, session }: Pick<Principal, 'id' | 'tenant' | 'session'>, to: AgentIdentity): string | undefined {
  if (!session) return 'there is no session to pass on'
  if (to.tenant !== tenant) return 'a session stays within its tenant'
  if (to.id === id || session.actors.some((actor) => actor.id === to.id)) return 'a session does not come to an agent twice'
  return session.actors.length + 2 > ticketLimits.actorsMax ? `a session goes through the hands of at most ${ticketLimits.actorsMax} agents` : undefined
}
