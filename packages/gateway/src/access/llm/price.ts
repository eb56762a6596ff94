/** What tokens of one model cost: currency per million tokens, which is also millionths of the currency per token. */
export interface Price {
  readonly input: number
  readonly output: number
  readonly cachedInput: number
}

export interface TokenCounts {
  /** All of the input, what was cached included. */
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens?: number
}

/** Money as a whole number of millionths. */
export function millionths(amount: number): number {
  return Math.round(amount * 1_000_000)
}

/** The inverse of `millionths`: nothing is lost between the two below a thousand million. */
export function amountOf(inMillionths: number): number {
  return inMillionths / 1_000_000
}

/** In millionths of the currency, rounded up. Exact for prices of at most six decimals. */
export function costOf(price: Price, { inputTokens, outputTokens, cachedInputTokens = 0 }: TokenCounts): number {
  const part = (tokens: number, perToken: number): bigint => BigInt(tokens) * BigInt(millionths(perToken))
  const total = part(inputTokens - cachedInputTokens, price.input) + part(cachedInputTokens, price.cachedInput) + part(outputTokens, price.output)
  return Number((total + 999_999n) / 1_000_000n)
}
