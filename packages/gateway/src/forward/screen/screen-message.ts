import type { JsonObject } from '@sallyport/contract'
import type { JsonRpcMessage } from '../../access/access-request.ts'
import { isJsonObject } from '../../access/mcp/json-rpc.ts'
import type { Screening } from '../../policy/results.ts'
import { brokenAnswer } from '../exchange.ts'
import { DeniedValue, redactJson } from '../../policy/redact/redact-json.ts'
import { deniedAnswer } from './screen-answer.ts'

/** Members of `params` that say to what a message belongs. */
const belongings = ['progressToken', 'requestId'] as const

/**
 * A message of an upstream without what rules for results find in its result, error or params: everywhere in them, also in structured content, progress and log
 * messages, and the names of members.
 *
 * @throws Fault that `refusalOf` knows as `policy.result-denied`
 */
export function screenMessage<Message extends JsonRpcMessage>(message: Message, screening: Screening | undefined): Message {
  if (!screening) return message
  const { value } = message
  try {
    const screened: Record<string, JsonObject> = {}
    for (const part of ['result', 'error', 'params'] as const) {
      const { [part]: given } = value
      const redacted = isJsonObject(given) ? redactJson(given, screening) : undefined
      if (isJsonObject(redacted) && isJsonObject(given) && redacted !== given) screened[part] = { ...redacted, ...(part === 'params' && kept(given)) }
    }
    return Object.keys(screened).length === 0 ? message : { ...message, value: { ...value, ...screened } }
  } catch (error) {
    if (error instanceof DeniedValue) throw brokenAnswer(deniedAnswer('a message'))
    throw error
  }
}

function kept(params: JsonObject): JsonObject {
  return Object.fromEntries(belongings.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])))
}
