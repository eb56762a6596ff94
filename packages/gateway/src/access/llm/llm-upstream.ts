import type { LlmUpstreamConfiguration, UpstreamName } from '@sallyport/contract'
import type { LlmApi } from './endpoints.ts'
import type { Price } from './price.ts'

/** What access needs to know of one upstream with language models. */
export interface LlmUpstreamAccess {
  readonly protocol: 'llm'
  readonly name: UpstreamName
  readonly api: LlmApi
  readonly prices: ReadonlyMap<string, Price>
  readonly maxOutputTokens: number | undefined
}

export interface LlmUpstreamFault {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint: string
}

export type CompiledLlmUpstream =
  { readonly kind: 'invalid'; readonly faults: readonly LlmUpstreamFault[] } | { readonly kind: 'compiled'; readonly upstream: LlmUpstreamAccess }

/** Compiles the upstream; paths of faults start below its own entry. */
export function compileLlmUpstream(name: UpstreamName, { api, url, prices, maxOutputTokens }: LlmUpstreamConfiguration): CompiledLlmUpstream {
  if (/\/v1\/?$/.test(url)) {
    return { kind: 'invalid', faults: [{ path: ['url'], message: 'the base URL ends with /v1, which every call brings itself', hint: 'leave /v1 away' }] }
  }
  const byModel = Object.entries(prices ?? {}).map(([model, { input, output, cachedInput = input }]) => [model, { input, output, cachedInput }] as const)
  return { kind: 'compiled', upstream: { protocol: 'llm', name, api, prices: new Map(byModel), maxOutputTokens } }
}

/** The credential as its API wants to see it, where the configuration does not say. */
export function llmCredential({ api, credential }: Pick<LlmUpstreamConfiguration, 'api' | 'credential'>): LlmUpstreamConfiguration['credential'] {
  if (!credential || api === 'openai' || credential.header !== undefined) return credential
  return { ...credential, header: 'x-api-key', format: credential.format ?? '{secret}' }
}
