import type { Principal } from '../identity/identify.ts'
import type { Rule, PolicySnapshot } from './snapshot.ts'

/**
 * Whether the rules could ever let this caller do the action there (or, without `action`, anything): some enforced rule that permits or holds matches it, and
 * no deny without a condition covers it. Conditions are not asked, so true promises nothing; false means that every such call is denied.
 *
 * @param upstream undefined: anywhere
 */
export function isReachable(policy: PolicySnapshot, principal: Pick<Principal, 'tenant' | 'agent'>, upstream: string | undefined, action?: string): boolean {
  if (action !== undefined) return reachOf(policy, principal, upstream)(action)
  const { openings, denies } = around(policy, principal, upstream)
  return openings.some((opening) => {
    const covering = upstream === undefined ? denies.filter((deny) => coversUpstreams(deny, opening)) : denies
    return leavesSomething(opening, covering)
  })
}

/** The same question about many actions: the rules are looked through once, and each action is then asked only of those that do not name theirs. */
export function reachOf(policy: PolicySnapshot, principal: Pick<Principal, 'tenant' | 'agent'>, upstream: string | undefined): (action: string) => boolean {
  const { openings, denies } = around(policy, principal, upstream)
  const isOpened = anyOf(openings)
  const isDenied = anyOf(denies)
  return (action) => isOpened(action) && !isDenied(action)
}

function around(policy: PolicySnapshot, principal: Pick<Principal, 'tenant' | 'agent'>, upstream: string | undefined): Record<'openings' | 'denies', Rule[]> {
  const rules = policy.rulesAround(principal, upstream)
  return {
    openings: rules.filter(({ effect }) => effect !== 'deny'),
    denies: rules.filter(({ effect, condition }) => effect === 'deny' && !condition),
  }
}

function anyOf(rules: readonly Rule[]): (action: string) => boolean {
  const actions = rules.map(({ match }) => match.action)
  const named = new Set(actions.flatMap(({ literals }) => literals ?? []))
  const starred = actions.filter(({ literals }) => literals === undefined)
  return (action) => named.has(action) || starred.some((field) => field.matches(action))
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
