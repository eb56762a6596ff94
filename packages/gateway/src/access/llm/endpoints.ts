export type LlmApi = 'openai' | 'anthropic'

/** What can be asked, in the words that rules use. */
export type LlmEndpoint = 'chat.completions' | 'responses' | 'embeddings' | 'messages' | 'messages.count_tokens' | 'models.list'

export interface Endpoint {
  readonly endpoint: LlmEndpoint
  readonly method: 'GET' | 'POST'
  /** Query parameters that may stand in the target. */
  readonly query: readonly string[]
}

const listQuery = ['limit', 'after_id', 'before_id']

/** Everything else that these APIs offer (files, batches, fine-tuning, stored answers) would pass what an agent may not see, and is not for agents. */
const endpoints: Readonly<Record<LlmApi, ReadonlyMap<string, Endpoint>>> = {
  openai: new Map<string, Endpoint>([
    ['/v1/chat/completions', { endpoint: 'chat.completions', method: 'POST', query: [] }],
    ['/v1/responses', { endpoint: 'responses', method: 'POST', query: [] }],
    ['/v1/embeddings', { endpoint: 'embeddings', method: 'POST', query: [] }],
    ['/v1/models', { endpoint: 'models.list', method: 'GET', query: [] }],
  ]),
  anthropic: new Map<string, Endpoint>([
    ['/v1/messages', { endpoint: 'messages', method: 'POST', query: ['beta'] }],
    ['/v1/messages/count_tokens', { endpoint: 'messages.count_tokens', method: 'POST', query: ['beta'] }],
    ['/v1/models', { endpoint: 'models.list', method: 'GET', query: listQuery }],
  ]),
}

/** The endpoint at exactly this path, percent-encoding not undone. */
export function endpointAt(api: LlmApi, path: string): Endpoint | undefined {
  return endpoints[api].get(path)
}

export function pathsOf(api: LlmApi): readonly string[] {
  return [...endpoints[api].keys()]
}
