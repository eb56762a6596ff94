import type { AccessRequest } from '../access/access-request.ts'
import type { OutcomeFacts } from '../audit/outcome.ts'
import type { RefusalSeen } from '../audit/refusal-tally.ts'
import type { Answer, Inbound } from '../edge/inbound.ts'
import type { Verdict } from '../ledger.ts'

/** Makes spans of what requests are seen to do. Nothing here throws or waits, whatever becomes of the spans. */
export interface Tracing {
  begin(inbound: Inbound): RequestTrace
  /** Sends what is finished, for a bounded time. Never rejects. */
  close(): Promise<void>
}

export interface RequestTrace {
  deciding(request: AccessRequest): DecisionTrace
  /** The exchange with an upstream begins. */
  forwarding(request: AccessRequest): ForwardTrace
  refused(seen: RefusalSeen): void
  end(answer: Answer, code: string): void
}

export interface DecisionTrace {
  end(verdict: Verdict): void
}

export interface ForwardTrace {
  /** What the upstream is told of this trace, as W3C Trace Context writes it; undefined unless it is to be told. */
  readonly traceparent: string | undefined
  end(facts: OutcomeFacts): void
}
