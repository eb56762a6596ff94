import { unreachable, type Json } from '@sallyport/contract'
import type { LlmEndpoint } from '../../access/llm/endpoints.ts'
import { isList, isObject, memberOf } from '../../access/llm/json-members.ts'
import type { TokenCounts } from '../../access/llm/price.ts'
import { readAnthropicUsage, readOpenAiUsage } from './read-usage.ts'

const toolCallsMax = 64
const toolNameLengthMax = 128
const modelLengthMax = 256
const stopReasonLengthMax = 64

/**
 * What the log shall know of a model's answer, gathered from a whole answer or from the events of a stream. It says what the provider claims; nothing of what the
 * model wrote is in it but the names of the tools it asked for.
 */
export class AnswerNotes {
  model: string | undefined
  stopReason: string | undefined
  readonly toolCalls: string[] = []
  readonly #endpoint: LlmEndpoint
  #usage: TokenCounts | undefined
  /** The parts of an Anthropic stream's usage, of which later ones count. */
  #partialUsage: { readonly [name: string]: Json } = {}
  #isEnded = false
  #hasFailed = false

  constructor(endpoint: LlmEndpoint) {
    this.#endpoint = endpoint
  }

  /** The usage, if it was told and the answer is complete: read to its end, or to the event that ends it. Numbers on the way are not the last word. */
  finalUsage(isReadOut: boolean): TokenCounts | undefined {
    return this.#hasFailed || !(this.#isEnded || isReadOut) ? undefined : this.#usage
  }

  takeWhole(answer: Json): void {
    switch (this.#endpoint) {
      case 'chat.completions':
        return this.#takeCompletion(answer)
      case 'responses':
        this.#takeResponse(answer)
        for (const item of listOf(memberOf(answer, 'output'))) this.#takeOutputItem(item)
        return
      case 'embeddings':
        this.#noteModel(memberOf(answer, 'model'))
        this.#usage = readOpenAiUsage(memberOf(answer, 'usage'), false)
        return
      case 'messages':
        this.#takeMessage(answer)
        for (const block of listOf(memberOf(answer, 'content'))) this.#takeContentBlock(block)
        this.#usage = readAnthropicUsage(memberOf(answer, 'usage'))
        return
      case 'messages.count_tokens':
      case 'models.list':
        return
      default:
        return unreachable(this.#endpoint)
    }
  }

  /** `undefined`: data that is no JSON, such as the `[DONE]` of a chat completion. */
  takeEvent(event: Json | undefined, data: string): void {
    if (data === '[DONE]') this.#isEnded = true
    if (event === undefined) return
    if (memberOf(event, 'error') !== undefined || memberOf(event, 'type') === 'error') this.#hasFailed = true
    if (this.#endpoint === 'chat.completions') this.#takeCompletion(event)
    if (this.#endpoint === 'responses') this.#takeResponseEvent(event)
    if (this.#endpoint === 'messages') this.#takeMessageEvent(event)
  }

  /** Something in it could not be read: whatever else it says of its usage does not count. */
  fail(): void {
    this.#hasFailed = true
  }

  #takeCompletion(answer: Json): void {
    this.#noteModel(memberOf(answer, 'model'))
    for (const choice of listOf(memberOf(answer, 'choices'))) {
      this.#noteStopReason(memberOf(choice, 'finish_reason'))
      const message = memberOf(choice, 'message') ?? memberOf(choice, 'delta')
      for (const call of listOf(memberOf(message, 'tool_calls'))) {
        this.#noteToolCall(memberOf(memberOf(call, 'function') ?? memberOf(call, 'custom'), 'name'))
      }
      this.#noteToolCall(memberOf(memberOf(message, 'function_call'), 'name'))
    }
    const usage = memberOf(answer, 'usage')
    if (usage !== undefined) this.#usage = readOpenAiUsage(usage, true)
  }

  #takeResponse(response: Json | undefined): void {
    this.#noteModel(memberOf(response, 'model'))
    this.#noteStopReason(memberOf(memberOf(response, 'incomplete_details'), 'reason') ?? memberOf(response, 'status'))
    this.#usage = readOpenAiUsage(memberOf(response, 'usage'), true)
  }

  #takeResponseEvent(event: Json): void {
    switch (memberOf(event, 'type')) {
      case 'response.output_item.done':
        return this.#takeOutputItem(memberOf(event, 'item'))
      case 'response.completed':
      case 'response.incomplete':
        this.#isEnded = true
        return this.#takeResponse(memberOf(event, 'response'))
      case 'response.failed':
        this.#hasFailed = true
        return this.#takeResponse(memberOf(event, 'response'))
    }
  }

  /** A function by its name; a tool of the provider's own has none but that of its type, such as `web_search_call`. */
  #takeOutputItem(item: Json | undefined): void {
    const type = memberOf(item, 'type')
    if (typeof type === 'string' && type.endsWith('_call')) this.#noteToolCall(memberOf(item, 'name') ?? type.slice(0, -'_call'.length))
  }

  #takeMessage(message: Json | undefined): void {
    this.#noteModel(memberOf(message, 'model'))
    this.#noteStopReason(memberOf(message, 'stop_reason'))
  }

  #takeContentBlock(block: Json | undefined): void {
    const type = memberOf(block, 'type')
    if (typeof type === 'string' && type.endsWith('tool_use')) this.#noteToolCall(memberOf(block, 'name'))
  }

  #takeMessageEvent(event: Json): void {
    switch (memberOf(event, 'type')) {
      case 'message_start': {
        const message = memberOf(event, 'message')
        this.#takeMessage(message)
        this.#partialUsage = membersOf(memberOf(message, 'usage'))
        return
      }
      case 'content_block_start':
        return this.#takeContentBlock(memberOf(event, 'content_block'))
      case 'message_delta': {
        this.#noteStopReason(memberOf(memberOf(event, 'delta'), 'stop_reason'))
        this.#partialUsage = { ...this.#partialUsage, ...membersOf(memberOf(event, 'usage')) }
        this.#usage = readAnthropicUsage(this.#partialUsage)
        return
      }
      case 'message_stop':
        this.#isEnded = true
    }
  }

  #noteModel(model: Json | undefined): void {
    if (typeof model === 'string') this.model = clip(model, modelLengthMax)
  }

  #noteStopReason(reason: Json | undefined): void {
    if (typeof reason === 'string') this.stopReason = clip(reason, stopReasonLengthMax)
  }

  #noteToolCall(name: Json | undefined): void {
    if (typeof name === 'string' && name !== '' && this.toolCalls.length < toolCallsMax) this.toolCalls.push(clip(name, toolNameLengthMax))
  }
}

function listOf(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : []
}

function membersOf(value: Json | undefined): { readonly [name: string]: Json } {
  return isObject(value) ? Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null)) : {}
}

/** Well-formed, since the log carries no lone surrogate. */
function clip(text: string, lengthMax: number): string {
  return text.slice(0, lengthMax).toWellFormed()
}
