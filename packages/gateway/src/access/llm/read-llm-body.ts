import type { Json, JsonObject } from '@sallyport/contract'
import type { LlmEndpoint } from './endpoints.ts'
import { isList, isObject, lookalikeOf, memberOf } from './json-members.ts'
import { readOfferedTools } from './offered-tools.ts'

/** What the body of a call says. */
export interface ReadLlmBody {
  readonly kind: 'read'
  readonly model: string
  readonly stream: boolean
  readonly tools: readonly string[]
  readonly messageCount: number
  /** For one answer. Undefined: nobody says, or the endpoint makes none. */
  readonly maxTokens: number | undefined
  /** How many answers are asked for. */
  readonly answers: number
  /** The body as it is judged and forwarded, with what the gateway adds to it. */
  readonly body: JsonObject
  readonly hidesUsage: boolean
}

type Malformed = { readonly kind: 'malformed'; readonly reason: string }

/** Where each endpoint has its content, and which members limit its output: the first is the one that the gateway writes. */
const forms: Readonly<Record<Exclude<LlmEndpoint, 'models.list'>, { readonly content: string; readonly limits: readonly string[] }>> = {
  'chat.completions': { content: 'messages', limits: ['max_completion_tokens', 'max_tokens'] },
  responses: { content: 'input', limits: ['max_output_tokens'] },
  embeddings: { content: 'input', limits: [] },
  messages: { content: 'messages', limits: ['max_tokens'] },
  'messages.count_tokens': { content: 'messages', limits: [] },
}

/** What would bring a model or tools that do not stand in the call: alternatives that some servers fall back to, and templates that are stored at the provider. */
const hiddenSources = ['models', 'fallbacks', 'prompt']

/** Members that are judged, or that decide which tools and models are behind the call. */
const judgedMembers: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'stream_options',
  'messages',
  'input',
  'tools',
  'functions',
  'tool_choice',
  'function_call',
  'mcp_servers',
  'web_search_options',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  ...hiddenSources,
])
const judgedStreamOptions: ReadonlySet<string> = new Set(['include_usage'])

const modelForm = /^[\x21-\x7e]{1,256}$/
const tokensMax = 10_000_000
const answersMax = 128

/** Reads the body of a call strictly: what is judged here is what every server reads. `maxOutputTokens` is written into a call that has no limit of its own. */
export function readLlmBody(endpoint: Exclude<LlmEndpoint, 'models.list'>, body: Json, maxOutputTokens: number | undefined): ReadLlmBody | Malformed {
  if (!isObject(body)) return malformed('the body is not an object')
  const lookalike = lookalikeOf(body, judgedMembers)
  if (lookalike !== undefined) return malformed(`the body has a member '${lookalike}', which some read as another`)
  const hidden = hiddenSources.find((name) => memberOf(body, name) !== undefined)
  if (hidden !== undefined) return malformed(`'${hidden}' would bring a model or tools that do not stand in the call`)
  const model = memberOf(body, 'model')
  if (typeof model !== 'string' || !modelForm.test(model)) return malformed('model is not 1 to 256 printable ASCII characters without spaces')
  const stream = memberOf(body, 'stream') ?? false
  if (typeof stream !== 'boolean') return malformed('stream is neither true nor false')

  const { content, limits } = forms[endpoint]
  const messageCount = countOf(memberOf(body, content))
  // A response can go on from an earlier one without saying more.
  if (messageCount === undefined && !(endpoint === 'responses' && memberOf(body, content) === undefined)) return malformed(`${content} is missing or no list`)
  const tools = readOfferedTools(body)
  if (tools.kind === 'malformed') return tools
  const own = readLimits(body, limits)
  if (own === 'malformed') return malformed(`${limits.join(' and ')} are whole numbers from 1 to ${tokensMax}`)
  const answers = endpoint === 'chat.completions' ? (memberOf(body, 'n') ?? 1) : 1
  if (!isWhole(answers, answersMax)) return malformed(`n is a whole number from 1 to ${answersMax}`)

  const [limit] = limits
  const maxTokens = limit === undefined ? undefined : (own ?? maxOutputTokens)
  const bounded = limit !== undefined && own === undefined && maxTokens !== undefined ? { ...body, [limit]: maxTokens } : body
  const asking = endpoint === 'chat.completions' && stream ? askForUsage(bounded) : { body: bounded, hidesUsage: false }
  if (!asking) return malformed('stream_options is not an object, or its include_usage neither true nor false')
  return { kind: 'read', model, stream, tools: tools.names, messageCount: messageCount ?? 0, maxTokens, answers, ...asking }
}

function malformed(reason: string): Malformed {
  return { kind: 'malformed', reason }
}

function countOf(content: Json | undefined): number | undefined {
  if (typeof content === 'string') return 1
  return isList(content) ? content.length : undefined
}

/** The largest of them, since servers differ in which one counts. */
function readLimits(body: JsonObject, names: readonly string[]): number | undefined | 'malformed' {
  let largest: number | undefined
  for (const name of names) {
    const value = memberOf(body, name)
    if (value === undefined) continue
    if (!isWhole(value, tokensMax)) return 'malformed'
    largest = Math.max(largest ?? 0, value)
  }
  return largest
}

function isWhole(value: Json, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
}

/** Without being asked, a streamed chat completion does not say what it used. */
function askForUsage(body: JsonObject): { readonly body: JsonObject; readonly hidesUsage: boolean } | undefined {
  const options = memberOf(body, 'stream_options') ?? {}
  if (!isObject(options) || lookalikeOf(options, judgedStreamOptions) !== undefined) return undefined
  const asked = memberOf(options, 'include_usage') ?? false
  if (typeof asked !== 'boolean') return undefined
  return asked ? { body, hidesUsage: false } : { body: { ...body, stream_options: { ...options, include_usage: true } }, hidesUsage: true }
}
