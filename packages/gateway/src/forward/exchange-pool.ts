import type { Unanswered, UpstreamAnswer, UpstreamRequest } from './exchange.ts'

/** The exchanges with one upstream. */
export interface ExchangePool {
  /** Of the definition: two with the same are the same. */
  readonly fingerprint: string
  send(request: UpstreamRequest): Promise<UpstreamAnswer | Unanswered>
  /** Resolves when the last exchange has ended, which is made to happen after `drainMs`. */
  drain(drainMs: number): Promise<void>
  cutRefused(): void
}

/** The largest head of an answer. */
export const answerHeadBytesMax = 65_536
