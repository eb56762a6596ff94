import type { Json } from '@sallyport/contract'
import { memberOf } from '../../access/llm/json-members.ts'
import type { TokenCounts } from '../../access/llm/price.ts'

/** No model reads or writes more in one call; a larger claim is not believed. */
const tokensMax = 10_000_000

/** `prompt_tokens` and `completion_tokens`, or `input_tokens` and `output_tokens`. Undefined unless every number in it can be true. */
export function readOpenAiUsage(usage: Json | undefined, hasOutput: boolean): TokenCounts | undefined {
  const [input, output] = memberOf(usage, 'prompt_tokens') === undefined ? ['input', 'output'] : ['prompt', 'completion']
  const inputTokens = count(memberOf(usage, `${input}_tokens`))
  const outputTokens = hasOutput ? count(memberOf(usage, `${output}_tokens`)) : 0
  const cached = memberOf(memberOf(usage, `${input}_tokens_details`), 'cached_tokens')
  return counts(inputTokens, outputTokens, cached === undefined ? undefined : (count(cached) ?? 'untrue'))
}

/** `input_tokens` here is without what was written to the cache or read from it. */
export function readAnthropicUsage(usage: Json | undefined): TokenCounts | undefined {
  const fresh = count(memberOf(usage, 'input_tokens'))
  const written = count(memberOf(usage, 'cache_creation_input_tokens') ?? 0)
  const cached = memberOf(usage, 'cache_read_input_tokens')
  const read = cached === undefined ? 0 : count(cached)
  if (fresh === undefined || written === undefined || read === undefined) return undefined
  return counts(fresh + written + read, count(memberOf(usage, 'output_tokens')), cached === undefined ? undefined : read)
}

function counts(inputTokens: number | undefined, outputTokens: number | undefined, cached: number | undefined | 'untrue'): TokenCounts | undefined {
  if (inputTokens === undefined || outputTokens === undefined || cached === 'untrue' || (cached ?? 0) > inputTokens) return undefined
  return { inputTokens, outputTokens, ...(cached !== undefined && { cachedInputTokens: cached }) }
}

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= tokensMax ? value : undefined
}
