import type { ProblemCode } from '@sallyport/contract'

/** What became of a forwarded call, known when the exchange has ended. */
export interface OutcomeFacts {
  readonly result: 'answered' | 'refused' | 'failed' | 'cancelled'
  readonly status?: number
  readonly code?: ProblemCode
  /** The tool or method answered with an error. */
  readonly error?: boolean
  readonly requestBytes?: number
  readonly answerBytes?: number
}
