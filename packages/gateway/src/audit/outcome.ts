import type { OutcomeEvent, ProblemCode } from '@sallyport/contract'

/** What became of a forwarded call, known when the exchange has ended. */
export interface OutcomeFacts {
  readonly result: 'answered' | 'refused' | 'failed' | 'cancelled'
  readonly status?: number
  readonly code?: ProblemCode
  /** Why it was refused or broke off; never said to the agent. */
  readonly reason?: string
  /** The tool or method answered with an error. */
  readonly error?: boolean
  readonly requestBytes?: number
  readonly answerBytes?: number
  /** Nothing of the call reached the upstream. */
  readonly sent?: false
  /** What a language model used, only when its provider has said so to the end. */
  readonly usage?: NonNullable<OutcomeEvent['usage']>
  readonly model?: string
  readonly stopReason?: string
  readonly toolCalls?: readonly string[]
  /** What rules for results found in the answer. */
  readonly found?: Readonly<NonNullable<OutcomeEvent['found']>>
}
