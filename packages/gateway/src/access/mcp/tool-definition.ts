import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '@sallyport/contract'
import { isJsonObject } from './json-rpc.ts'
import { toolName } from './methods.ts'

/** What an upstream says of one of its tools, as far as a model reads it. */
export interface ToolDefinition {
  readonly name: string
  /** SHA-256 of `text`, base64url. */
  readonly digest: string
  /** Canonical JSON. @see RFC 8785 */
  readonly text: string
}

/** Largest canonical definition, in UTF-16 units; a tool with a larger one is not offered. */
export const definitionLengthMax = 65_536

/** Everything that tells a model what a tool is for and how to call it; what hosts alone read (icons, `_meta`) may change. */
const members = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

/** Reads an item of a list of tools; undefined for what is none, has a name that could not be called, or is too large to be shown to a person. */
export function toolDefinition(item: Json): ToolDefinition | undefined {
  const name = isJsonObject(item) ? toolName(item) : undefined
  if (!isJsonObject(item) || name === undefined) return undefined
  const text = canonicalJson(Object.fromEntries(members.flatMap((member) => (item[member] === undefined ? [] : [[member, item[member]]]))))
  if (text.length > definitionLengthMax) return undefined
  return { name, text, digest: createHash('sha256').update(text).digest('base64url') }
}
