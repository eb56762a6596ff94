import type { HeaderLines } from '../../edge/inbound.ts'
import { forwardableHeaders, type ForwardableHeaders } from '../http/forwardable-headers.ts'

/**
 * All that an API of language models needs to see. Of what is left out, `openai-organization` and `openai-project` would choose whose account pays,
 * `idempotency-key` could fetch the answer that another agent got under the same credential, `api-key` and its like are credentials, and proxies in front of
 * models let headers choose the model.
 */
const passing: ReadonlySet<string> = new Set(['accept', 'user-agent', 'traceparent', 'tracestate', 'anthropic-version', 'anthropic-beta', 'openai-beta'])

const betaHeaders: ReadonlySet<string> = new Set(['anthropic-beta', 'openai-beta'])
const betasMax = 64

/** What goes to the provider. The judged body is JSON, and its answer must be readable. */
export function llmHeaders(headers: HeaderLines, hasBody: boolean): ForwardableHeaders {
  const forwardable = forwardableHeaders(headers, { credentialHeader: undefined, passedHeaders: passing }, hasBody)
  if (forwardable.kind === 'malformed') return forwardable
  const passed = forwardable.headers.filter(([name]) => passing.has(name))
  const own: HeaderLines = [...(hasBody ? [['content-type', 'application/json'] as const] : []), ['accept-encoding', 'identity']]
  return { kind: 'read', headers: [...passed, ...own] }
}

/** The beta features that the call asks for, which can bring tools and data of their own; undefined when the list is no list of names. */
export function readBetas(headers: HeaderLines): readonly string[] | undefined {
  const betas = headers
    .filter(([name]) => betaHeaders.has(name))
    .flatMap(([, value]) => value.split(','))
    .map((beta) => beta.trim())
  return betas.length <= betasMax && betas.every((beta) => /^[\x21-\x7e]{1,128}$/.test(beta)) ? betas : undefined
}
