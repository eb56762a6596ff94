import { unreachable, type Problem } from '@sallyport/contract'
import type { Question } from './question.ts'
import { isReachable } from './reach.ts'
import type { PolicySnapshot } from './snapshot.ts'
import type { ToolPins } from './tool-pins.ts'

/** Whether pinned tools would be called or shown that are not known as they are now. What rules deny anyway is theirs to refuse. */
export function mustListFirst(policy: PolicySnapshot, pins: ToolPins, { pinned, principal, upstream, action }: Question): boolean {
  if (pinned === undefined || pins.isFresh({ tenant: principal.tenant, upstream, revision: pinned.revision })) return false
  return isReachable(policy, principal, upstream, pinned.use === 'called' ? action : undefined)
}

/** Why a call that rules permit is refused all the same: the definition of its tool is not the one that was accepted, or is not known. */
export function objectionToTool(pins: ToolPins, { pinned, principal, upstream, resource }: Question): Problem | undefined {
  if (pinned?.use !== 'called') return undefined
  const standing = pins.standing({ tenant: principal.tenant, upstream, revision: pinned.revision }, resource)
  switch (standing) {
    case 'accepted':
      return undefined
    case 'held':
      return { code: 'policy.tool-changed', detail: `A person can look at it with "sallyport tools diff ${upstream} ${resource}" and accept it.` }
    case 'unlisted':
      return { code: 'policy.tool-unlisted', detail: 'List the tools again: their names may have changed.' }
    default:
      return unreachable(standing)
  }
}
