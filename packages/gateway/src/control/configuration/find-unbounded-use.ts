import type { Configuration, LlmUpstreamConfiguration, QuotaConfiguration } from '@sallyport/contract'
import { compileMatch } from '../../policy/match.ts'
import type { FaultAt } from './read-configuration.ts'

/** Quotas of tokens or cost over upstreams whose calls they would have to refuse, since nobody says how much these can use. */
export function findUnboundedUse({ upstreams, quotas }: Configuration): readonly FaultAt[] {
  const models = Object.entries(upstreams).flatMap(([name, upstream]) => (upstream.protocol === 'llm' ? [[name, upstream] as const] : []))
  return quotas.flatMap((quota) => {
    const { upstream } = compileMatch(quota.match ?? {})
    return models.filter(([name]) => upstream.matches(name)).flatMap(([name, model]) => faultsOf(quota, name, model))
  })
}

function faultsOf({ id, tokens, cost }: QuotaConfiguration, name: string, { api, maxOutputTokens, prices }: LlmUpstreamConfiguration): readonly FaultAt[] {
  const faults: FaultAt[] = []
  // The Anthropic API wants a limit in every call anyway.
  if ((tokens !== undefined || cost !== undefined) && api === 'openai' && maxOutputTokens === undefined) {
    faults.push({
      where: ['upstreams', name, 'maxOutputTokens'],
      message: `quota ${id} counts the tokens of this upstream, and a call that names no limit could use any number`,
      hint: 'add maxOutputTokens: 4096, which is written into such calls',
    })
  }
  if (cost !== undefined && Object.keys(prices ?? {}).length === 0) {
    faults.push({
      where: ['upstreams', name, 'prices'],
      message: `quota ${id} counts the cost of this upstream, and no model has a price`,
      hint: 'add prices: { MODEL: { input: 2.5, output: 10 } }, per million tokens',
    })
  }
  return faults
}
