import type { Principal } from '../identity/identify.ts'
import type { Rule, PolicySnapshot } from './snapshot.ts'

/**
 * Whether the rules could ever let this caller do the action there (or, without `action`, anything): some enforced rule that permits or holds matches it, and
 * no deny without a condition covers it. Conditions are not asked, so true promises nothing; false means that every such call is denied.
 *
 * @param upstream undefined: anywhere
 */
export function isReachable(policy: PolicySnapshot, principal: Pick<Principal, 'tenant' | 'agent'>, upstream: string | undefined, action?: string): boolean {
  const rules = policy.rulesAround(principal, upstream)
  const denies = rules.filter(({ effect, condition }) => effect === 'deny' && !condition)
  const openings = rules.filter(({ effect }) => effect !== 'deny')
  if (action !== undefined) return openings.some(({ match }) => match.action.matches(action)) && !denies.some(({ match }) => match.action.matches(action))
  return openings.some((opening) => {
    const covering = upstream === undefined ? denies.filter((deny) => coversUpstreams(deny, opening)) : denies
    return leavesSomething(opening, covering)
  })
}

function coversUpstreams(deny: Rule, { match }: Rule): boolean {
  return deny.match.upstream.matchesAll || (match.upstream.literals?.every((name) => deny.match.upstream.matches(name)) ?? false)
}

/** Denies of only some of the actions that the opening is about leave the others. */
function leavesSomething({ match }: Rule, denies: readonly Rule[]): boolean {
  const { literals } = match.action
  if (literals) return literals.some((action) => !denies.some((deny) => deny.match.action.matches(action)))
  return !denies.some((deny) => deny.match.action.matchesAll)
}
