import type { LogEvent } from '@sallyport/contract'
import { Approvals } from './approvals.ts'
import { ownQuota } from './quota.ts'
import { QuotaCounters } from './quota-counters.ts'
import type { PolicySnapshot } from './snapshot.ts'
import { chargedUse, settledUse } from './token-use.ts'
import { ToolPins } from './tool-pins.ts'

/** Everything that decisions change. It lives on the ledger's thread and is rebuilt from the log at start. */
export class PolicyState {
  readonly quotas = new QuotaCounters()
  readonly approvals = new Approvals()
  readonly tools = new ToolPins()
}

/**
 * Applies one entry of the log; all entries, in their order, give the state that the next live decision would have seen.
 *
 * Quotas are those of `policy`, by id, and what a call held back is what its entry says: use under a quota that is gone is dropped, use under one that has changed since counts against the new numbers.
 */
export function replay(state: PolicyState, event: LogEvent, policy: PolicySnapshot): void {
  const nowMs = Date.parse(event.time)
  switch (event.type) {
    case 'decision': {
      const { upstream, action, approval, approvalExpires } = event
      const caller = { tenant: event.caller.tenant, agent: event.caller.agent }
      if (event.quotas && event.quotas.length > 0) state.quotas.advance(nowMs)
      if (event.decision === 'permit') {
        const charged = new Set(event.quotas)
        state.quotas.add(
          [...policy.quotas, ownQuota].filter(({ id }) => charged.has(id)),
          { ...caller, upstream, action },
          chargedUse(event),
          event.request,
          nowMs,
        )
        if (approval !== undefined) state.approvals.consume(approval, nowMs)
      }
      if (event.decision === 'hold' && approval !== undefined && approvalExpires !== undefined) {
        // A repeated call names the approval that it already waits for.
        if (state.approvals.find(caller, event.call, nowMs)?.id !== approval)
          state.approvals.ask(approval, caller, event.call, Date.parse(approvalExpires), nowMs)
      }
      return
    }
    case 'approval':
      state.approvals.answer(event.approval, event.answer, event.person, nowMs)
      return
    case 'outcome':
      state.quotas.settle(event.request, settledUse(event), nowMs)
      return
    case 'gateway':
      if (event.act === 'started') state.quotas.settleAll(nowMs)
      return
    case 'tool':
      state.tools.apply(event)
      return
    case 'tools-listed':
      state.tools.list(event)
      return
    case 'refusal':
    case 'admin':
    case 'session':
    case 'signal':
    case 'record':
    case 'runtime':
      return
  }
}
