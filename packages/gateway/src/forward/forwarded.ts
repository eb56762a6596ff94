import type { Problem } from '@sallyport/contract'
import type { OutcomeFacts } from '../audit/outcome.ts'
import type { Answer } from '../edge/inbound.ts'

export type { OutcomeFacts } from '../audit/outcome.ts'

/** An answer on its way, or a refusal; `finished` resolves (never rejects) when the last byte has passed or the exchange broke. */
export type Forwarded =
  | { readonly kind: 'answer'; readonly answer: Answer; readonly finished: Promise<OutcomeFacts> }
  | { readonly kind: 'refused'; readonly problem: Problem; readonly reason: string; readonly finished: Promise<OutcomeFacts> }
