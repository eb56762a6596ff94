import { unreachable } from '@sallyport/contract'
import type { OutcomeFacts } from '../audit/outcome.ts'
import type { Receipt } from '../audit/receipt.ts'
import type { Answer, Inbound } from '../edge/inbound.ts'
import type { Exchanges } from '../forward/exchange.ts'
import type { ForwardPorts } from '../forward/forward.ts'
import type { Ports } from '../gateway.ts'
import type { LedgerDoor, Verdict } from '../ledger.ts'
import type { Metrics } from './metrics.ts'
import type { ForwardTrace, Tracing } from './tracing.ts'

export interface Watch {
  readonly metrics: Metrics
  readonly tracing: Tracing | undefined
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

/**
 * Carries out one request on ports that measure what it does with them: how long its decisions take, its exchanges with upstreams and the whole of it. What it
 * does is the same as without.
 */
export async function watchRequest(
  { metrics, tracing, now }: Watch,
  ports: Ports,
  inbound: Inbound,
  carryOut: (watched: Ports) => Promise<Answer>,
): Promise<Answer> {
  const trace = tracing?.begin(inbound)
  const begun = now()
  const secondsSince = (start: number): number => (now() - start) / 1000
  const exchanges = new Map<Receipt, { readonly start: number; readonly trace: ForwardTrace | undefined }>()
  let forwarding: ForwardTrace | undefined
  let finished: Promise<void> | undefined
  let end: { readonly code: string; readonly upstream: string | undefined } = { code: 'gateway.fault', upstream: undefined }

  const ledger: LedgerDoor = {
    decide: async (snapshot, request, payload) => {
      const start = now()
      const deciding = trace?.deciding(request)
      const verdict = await ports.ledger.decide(snapshot, request, payload)
      deciding?.end(verdict)
      metrics.observe('sallyport_decision_duration_seconds', { code: codeOfVerdict(verdict), upstream: request.upstream }, secondsSince(start))
      if (verdict.kind === 'permit') {
        forwarding = trace?.forwarding(request)
        exchanges.set(verdict.receipt, { start: now(), trace: forwarding })
      }
      return verdict
    },
    settle: (receipt, startedAt, finishing) => {
      ports.ledger.settle(receipt, startedAt, finishing)
      const exchange = exchanges.get(receipt)
      exchanges.delete(receipt)
      finished = finishing.then((facts) => {
        exchange?.trace?.end(facts)
        const labels = { code: codeOfOutcome(facts), upstream: receipt.request.upstream }
        if (exchange) metrics.observe('sallyport_upstream_duration_seconds', labels, secondsSince(exchange.start))
      })
    },
    refuse: (seen) => {
      trace?.refused(seen)
      ports.ledger.refuse(seen)
    },
  }
  const watched: Ports = {
    ...ports,
    ledger,
    forward: trace ? telling(ports.forward, () => forwarding?.traceparent) : ports.forward,
    observe: (answered) => {
      end = answered
      ports.observe(answered)
    },
  }
  const answer = await carryOut(watched)
  void Promise.resolve(finished).then(() => {
    trace?.end(answer, end.code)
    metrics.observe('sallyport_request_duration_seconds', { code: end.code, upstream: end.upstream ?? 'none' }, secondsSince(begun))
  })
  return answer
}

function codeOfVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'permit':
      return 'permitted'
    case 'list-first':
      return 'list-first'
    case 'deny':
    case 'hold':
      return verdict.problem.code
    default:
      return unreachable(verdict)
  }
}

function codeOfOutcome({ code, result }: OutcomeFacts): string {
  return code ?? result
}

/** Puts our own `traceparent` in the place of the agent's. It is added where the credential is: after the decision, to what leaves. */
function telling(forward: ForwardPorts, traceparent: () => string | undefined): ForwardPorts {
  const exchanges: Exchanges = {
    send: (request) => {
      const own = traceparent()
      if (own === undefined) return forward.exchanges.send(request)
      const others = request.headers.filter(([name]) => name !== 'traceparent' && name !== 'tracestate')
      return forward.exchanges.send({ ...request, headers: [...others, ['traceparent', own]] })
    },
    close: () => forward.exchanges.close(),
  }
  return { ...forward, exchanges, mcp: { ...forward.mcp, exchanges } }
}
