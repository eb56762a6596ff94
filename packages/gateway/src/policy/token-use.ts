import type { DecisionEvent, OutcomeEvent } from '@sallyport/contract'
import { amountOf, costOf, millionths } from '../access/llm/price.ts'
import type { Question } from './question.ts'
import type { Use } from './quota-counters.ts'

/** What a call holds back of tokens and cost; `cost` in the currency. As in the log. */
export type Reserve = NonNullable<DecisionEvent['reserved']>

/** The most that a call can use, as far as that is known before it leaves. */
export function mostUse({ ceiling }: Pick<Question, 'ceiling'>): Use {
  if (!ceiling) return { requests: 1, tokens: 0, cost: 0 }
  const { inputTokens, outputTokens, price } = ceiling
  if (outputTokens === undefined) return { requests: 1, tokens: undefined, cost: undefined }
  const dearest = price && { ...price, input: Math.max(price.input, price.cachedInput) }
  return { requests: 1, tokens: inputTokens + outputTokens, cost: dearest && costOf(dearest, { inputTokens, outputTokens }) }
}

export function reserveOf({ tokens = 0, cost }: Use): Reserve {
  return { tokens, ...(cost !== undefined && { cost: amountOf(cost) }) }
}

/** What a permitted call was charged, from its entry. */
export function chargedUse({ reserved }: DecisionEvent): Use {
  return { requests: 1, tokens: reserved?.tokens ?? 0, cost: reserved?.cost === undefined ? 0 : millionths(reserved.cost) }
}

/** What a call used, from its entry. Undefined where nothing is known: cut off, broken, or not told by the provider. */
export function settledUse({ sent, usage }: OutcomeEvent): Pick<Use, 'tokens' | 'cost'> {
  if (sent === false) return { tokens: 0, cost: 0 }
  if (!usage) return { tokens: undefined, cost: undefined }
  return { tokens: usage.inputTokens + usage.outputTokens, cost: usage.cost === undefined ? undefined : millionths(usage.cost) }
}
