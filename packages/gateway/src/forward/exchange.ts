import { Fault, type AgentName, type Refused, type TenantName, type UpstreamName } from '@sallyport/contract'
import type { HeaderLines } from '../edge/inbound.ts'
import type { Principal } from '../identity/identify.ts'

export interface UpstreamRequest {
  readonly upstream: UpstreamName
  /** Selects the tenant's own credential where it has one. */
  readonly tenant: TenantName
  /** Whose share of the upstream it takes. */
  readonly agent: AgentName
  readonly method: string
  /** Path and query below the upstream's base URL, starting with a slash; empty for the base URL itself. */
  readonly target: string
  readonly headers: HeaderLines
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** The announced length of an iterable body; without it the body goes out chunked. */
  readonly bodyBytes?: number | undefined
  /** The answer stays open while nothing is asked, so it must not take the place of calls. */
  readonly isStream?: boolean
  /** The answer is going to be looked through: `asked` asks for one that is not compressed, `required` takes no other, and none that is only a part. */
  readonly legible?: 'asked' | 'required' | undefined
  /**
   * Of a call to an agent: makes the header fields that depend on the certificate which the agent has just shown. Nothing is sent when it refuses.
   *
   * @throws Fault
   */
  readonly introduce?: (peer: Principal) => Promise<HeaderLines | Refused>
  readonly signal: AbortSignal
}

export interface UpstreamAnswer {
  readonly kind: 'answer'
  readonly status: number
  /** End-to-end headers only. */
  readonly headers: HeaderLines
  /**
   * Streams as it arrives, once; throws a `Fault` when the upstream breaks, stalls past its deadline or exceeds its limit (`refusalOf` names it). Cancelling it
   * (`return`) ends the exchange.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** The body's length as the upstream announced it. */
  readonly bodyBytes?: number | undefined
}

/** There was no answer. `isSent` false: certainly nothing of the request reached the upstream. */
export interface Unanswered extends Refused {
  readonly isSent: boolean
}

export function notSent(refusal: Refused): Unanswered {
  return { ...refusal, isSent: false }
}

/**
 * One HTTP exchange with a configured upstream: the address is classified at dial time, the credential is added, no redirect is followed, nothing is retried,
 * every wait has the upstream's deadline.
 */
export interface Exchanges {
  /**
   * Resolves once the answer's headers are in; refuses as `forward.*`. The detail of a refusal says whether the call may have been carried out.
   *
   * @throws what the request's own body threw, `Fault` of the credentials, and TypeError for a target or header that could not be written as one.
   */
  send(request: UpstreamRequest): Promise<UpstreamAnswer | Unanswered>
  /** Lets exchanges under way finish for a while, then cuts them. */
  close(): Promise<void>
}

/** Why an answer broke off: the refusal it would have been, had it not begun. */
export function refusalOf(error: unknown): Refused | undefined {
  return error instanceof Fault ? brokenAnswers.get(error) : undefined
}

const brokenAnswers = new WeakMap<Fault, Refused>()

/** The fault that a broken answer's body throws. */
export function brokenAnswer(refusal: Refused): Fault {
  const fault = new Fault(refusal.reason, 'unknown')
  brokenAnswers.set(fault, refusal)
  return fault
}
