import type { Json, JsonObject } from '@sallyport/contract'
import { isJsonArray, isJsonObject, wordLengthMax } from '../mcp/json-rpc.ts'
import type { MethodRow } from './methods.ts'

/** What a call says, as rules see it. */
export interface ReadParams {
  readonly kind: 'read'
  readonly args: JsonObject
  /** The task that it is about; undefined where it names none. */
  readonly task: string | undefined
}

type Malformed = { readonly kind: 'malformed'; readonly reason: string; readonly isWebhook?: true }

const messageMembers = ['messageId', 'contextId', 'taskId', 'role', 'parts', 'metadata', 'extensions', 'referenceTaskIds']
const partMembers = ['text', 'raw', 'url', 'data', 'metadata', 'filename', 'mediaType']
const contentMembers = ['text', 'raw', 'url', 'data']
const configurationMembers = ['acceptedOutputModes', 'historyLength', 'returnImmediately']
/** In both spellings that parsers know. */
const webhookMembers = ['taskPushNotificationConfig', 'task_push_notification_config']

export const partsMax = 1000

/**
 * Reads the params of a method strictly. Where parsers could see another message than rules do, in a second spelling of a member or a part with two contents, it is
 * refused; so is a webhook in the configuration of a message.
 *
 * @see A2A 1.0 sections 4.1 and 5.5
 */
export function readParams(row: MethodRow, params: JsonObject): ReadParams | Malformed {
  const stray = strayMember(params, row.members)
  if (stray !== undefined) return malformed(`params has a member '${stray}' that the method does not have`)
  if (row.task === undefined) return row.members.includes('message') ? readMessageParams(params) : { kind: 'read', args: params, task: undefined }
  const { id } = params
  return isWord(id) ? { kind: 'read', args: params, task: id } : malformed('id is a short text')
}

function readMessageParams(params: JsonObject): ReadParams | Malformed {
  const { message, configuration } = params
  if (configuration !== undefined) {
    if (!isJsonObject(configuration)) return malformed('configuration is an object')
    if (webhookMembers.some((name) => Object.hasOwn(configuration, name))) return { ...malformed('webhooks are not passed on'), isWebhook: true }
    const stray = strayMember(configuration, configurationMembers)
    if (stray !== undefined) return malformed(`configuration has a member '${stray}' that nobody knows`)
  }
  if (!isJsonObject(message)) return malformed('message is an object')
  const stray = strayMember(message, messageMembers)
  if (stray !== undefined) return malformed(`message has a member '${stray}' that nobody knows`)
  const { messageId, taskId, contextId, role, parts, ...told } = message
  if (!isWord(messageId)) return malformed('messageId is a short text')
  if (role !== 'ROLE_USER') return malformed('role is ROLE_USER: whoever calls speaks as the user')
  for (const word of [taskId, contextId]) if (word !== undefined && !isWord(word)) return malformed('taskId and contextId are short texts')
  if (!isJsonArray(parts) || parts.length === 0 || parts.length > partsMax) return malformed(`parts are 1 to ${partsMax}`)
  const flaw = parts.map(flawOfPart).find((found) => found !== undefined)
  if (flaw !== undefined) return malformed(flaw)
  // The id of a message is new with each try, and says nothing.
  const seen = { ...told, role, parts, ...(taskId !== undefined && { taskId }), ...(contextId !== undefined && { contextId }) }
  return { kind: 'read', args: { ...params, message: seen }, task: typeof taskId === 'string' ? taskId : undefined }
}

function flawOfPart(part: Json): string | undefined {
  if (!isJsonObject(part)) return 'a part is an object'
  const stray = strayMember(part, partMembers)
  if (stray !== undefined) return `a part has a member '${stray}' that nobody knows`
  const contents = contentMembers.filter((name) => Object.hasOwn(part, name))
  if (contents.length !== 1) return 'a part has one content: text, raw, url or data'
  const [content = ''] = contents
  return content === 'data' || typeof part[content] === 'string' ? undefined : `${content} is a text`
}

function strayMember(object: JsonObject, known: readonly string[]): string | undefined {
  return Object.keys(object).find((name) => !known.includes(name))
}

function isWord(value: Json | undefined): value is string {
  return typeof value === 'string' && value.length <= wordLengthMax && /^[\x21-\x7e]+$/.test(value)
}

function malformed(reason: string): Malformed {
  return { kind: 'malformed', reason }
}
