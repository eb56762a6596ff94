import { z } from 'zod'
import { ownQuota, units } from './quota.ts'
import type { PolicySnapshot } from './snapshot.ts'
import { PolicyState } from './state.ts'

const count = z.number().int().min(0)
const text = z.string()
const named = z.strictObject({ kind: z.enum(['denied', 'approved', 'used']), person: text })

/** What replaying a stretch of the log from its first entry has come to, as data: each part of the state as its `dump` gives it. */
export const stateSnapshot = z.strictObject({
  quotas: z.strictObject({
    latestMs: z.number(),
    counters: z.array(
      z.strictObject({
        key: text,
        level: z.number(),
        reserved: z.number(),
        atMs: z.number(),
        owner: text,
        limit: z.strictObject({ unit: z.enum(units), weight: z.number(), drainPerMs: z.number(), capacity: z.number() }),
      }),
    ),
    reservations: z.array(z.strictObject({ request: text, held: z.array(z.strictObject({ counter: count, weighted: z.number() })) })),
  }),
  approvals: z.array(
    z.strictObject({
      id: text,
      requester: z.strictObject({ tenant: text, agent: text }),
      digest: text,
      expiresAt: z.number(),
      state: z.union([z.strictObject({ kind: z.literal('pending') }), named]),
    }),
  ),
  tools: z.strictObject({
    tools: z.array(z.strictObject({ tenant: text, upstream: text, tool: text, accepted: text.optional(), held: z.array(text) })),
    listed: z.array(text),
  }),
})

export type StateSnapshot = z.infer<typeof stateSnapshot>

export function snapshotOf(state: PolicyState): StateSnapshot {
  const parts: Readonly<Record<keyof PolicyState, unknown>> = { quotas: state.quotas.dump(), approvals: state.approvals.dump(), tools: state.tools.dump() }
  return stateSnapshot.parse(parts)
}

/**
 * The state that a snapshot was taken of; replaying the entries behind it goes on from here as if all had been replayed.
 *
 * But for use under a quota whose numbers have changed since: what was used in front of the snapshot is not known by the new numbers, and dropped.
 */
export function restoreState({ quotas, approvals, tools }: StateSnapshot, policy: PolicySnapshot): PolicyState {
  const state = new PolicyState()
  state.quotas.restore(quotas, [...policy.quotas, ownQuota])
  state.approvals.restore(approvals)
  state.tools.restore({ listed: tools.listed, tools: tools.tools.map((tool) => ({ ...tool, accepted: tool.accepted })) })
  return state
}
