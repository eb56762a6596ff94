import type { Configuration, UpstreamName } from '@sallyport/contract'
import { unlisted } from '../../access/access-request.ts'
import type { UpstreamAccess } from '../../access/access-snapshot.ts'
import { compileMatch } from '../../policy/match.ts'
import { suggest } from '../../suggest.ts'
import type { FaultAt } from './read-configuration.ts'

/**
 * Actions in rules and quotas that no upstream they are about can have: a slip of the pen in a rule that denies would leave open what it should close.
 *
 * Only HTTP upstreams with operations say what actions they have; a `match` that can reach any other upstream is not judged.
 */
export function findUnknownActions({ rules, quotas }: Configuration, upstreams: ReadonlyMap<UpstreamName, UpstreamAccess>): readonly FaultAt[] {
  const of = (section: 'rules' | 'quotas', list: Configuration['rules'] | Configuration['quotas']): readonly FaultAt[] =>
    list.flatMap(({ match = {} }, index) => {
      const known = actionsOf(compileMatch(match).upstream, upstreams)
      if (known === undefined || match.action === undefined) return []
      const isList = typeof match.action !== 'string'
      return [match.action].flat().flatMap((action, place) => {
        if (action.includes('*') || action === unlisted || known.has(action)) return []
        const where = [section, index, 'match', 'action', ...(isList ? [place] : [])]
        return [{ where, message: `no operation is named ${action}`, hint: suggest(action, known) ?? `it has ${[...known].slice(0, 8).join(', ')}` }]
      })
    })
  return [...of('rules', rules), ...of('quotas', quotas)]
}

/** Undefined when an upstream that can be meant does not say. */
function actionsOf(match: ReturnType<typeof compileMatch>['upstream'], upstreams: ReadonlyMap<UpstreamName, UpstreamAccess>): ReadonlySet<string> | undefined {
  const meant = [...upstreams].flatMap(([name, access]) => (match.matches(name) ? [access] : []))
  const actions = meant.map((access) => (access.protocol === 'http' && access.operations.length > 0 ? access.operations.map(({ name }) => name) : undefined))
  if (meant.length === 0 || actions.includes(undefined)) return undefined
  return new Set(actions.flatMap((names) => names ?? []))
}
