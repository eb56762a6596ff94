import type { Json, JsonObject } from '@sallyport/contract'
import type { HeaderPairs } from '../link/header-pairs.ts'
import { encodeHeaderText } from './message-headers.ts'
import { isObject } from './rpc-message.ts'

/** An argument that a tool's schema wants repeated as `Mcp-Param-<header>`. */
interface Mirrored {
  readonly path: readonly string[]
  readonly header: string
}

const token = /^[!#$%&'*+\-.^`|~0-9A-Za-z]{1,64}$/
const toolsMax = 4_096
const mirroredMax = 32
const depthMax = 16

/** Remembers what `tools/list` declared, as a client with an HTTP transport of its own would. */
export interface MirroredArguments {
  /** Takes in the result of `tools/list`. */
  learn(result: Json | undefined): void
  /** The headers for a `tools/call` with these params. */
  headers(params: JsonObject): HeaderPairs
}

/** @see MCP 2026-07-28, Streamable HTTP, "x-mcp-header" (SEP-2243) */
export function mirroredArguments(): MirroredArguments {
  const byTool = new Map<string, readonly Mirrored[]>()
  return {
    learn: (result) => {
      const tools = isObject(result) ? result['tools'] : undefined
      for (const tool of Array.isArray(tools) ? tools : []) {
        if (!isObject(tool) || typeof tool['name'] !== 'string') continue
        const declared = declarations(tool['inputSchema'], [])
        if (declared.length === 0 || declared.length > mirroredMax) byTool.delete(tool['name'])
        else if (byTool.size < toolsMax || byTool.has(tool['name'])) byTool.set(tool['name'], declared)
      }
    },
    headers: ({ name, arguments: given }) => {
      const declared = typeof name === 'string' ? (byTool.get(name) ?? []) : []
      return declared.flatMap(({ path, header }) => {
        const value = path.reduce<Json | undefined>((at, member) => (isObject(at) && Object.hasOwn(at, member) ? at[member] : undefined), given)
        return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number'
          ? [[`Mcp-Param-${header}`, encodeHeaderText(String(value))] as const]
          : []
      })
    },
  }
}

function declarations(schema: Json | undefined, path: readonly string[]): readonly Mirrored[] {
  if (!isObject(schema) || path.length > depthMax) return []
  const { properties } = schema
  const header = schema['x-mcp-header']
  const own = typeof header === 'string' && token.test(header) && path.length > 0 ? [{ path, header }] : []
  const below = isObject(properties) ? Object.entries(properties).flatMap(([name, property]) => declarations(property, [...path, name])) : []
  return [...own, ...below]
}
