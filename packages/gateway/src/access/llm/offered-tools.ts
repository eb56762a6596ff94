import type { Json, JsonObject } from '@sallyport/contract'
import { isList, isObject, lookalikeOf, memberOf } from './json-members.ts'

/** A condition can look at lists up to this long. */
const namesMax = 1000
const depthMax = 4

const nameForm = /^[\x21-\x7e]{1,256}$/

/** Where a name stands in the shapes that tools have. */
const nameMembers = ['name', 'server_label', 'mcp_server_name']
/** Where a tool, or what holds tools, is wrapped in another. */
const wrappers = ['function', 'custom', 'allowed_tools']
const judgedMembers: ReadonlySet<string> = new Set(['type', 'tools', ...nameMembers, ...wrappers])

/** Types that say how a tool is written or chosen; every other type is a tool of the provider's own, named by it (`web_search`, `mcp`, `bash_20250124`). */
const plainTypes: ReadonlySet<string> = new Set(['function', 'custom', 'namespace', 'tool', 'allowed_tools', 'auto', 'any', 'none', 'required'])

export type OfferedTools = { readonly kind: 'malformed'; readonly reason: string } | { readonly kind: 'read'; readonly names: readonly string[] }

/**
 * The names of all tools that the call offers to the model, wherever they stand: `tools`, the older `functions`, a choice that names one, `web_search_options`
 * and `mcp_servers`. A tool of the provider's own is there by its type too. Where a tool carries several names all are there, so that a rule can neither miss one
 * nor be led to take it for another.
 */
export function readOfferedTools(body: JsonObject): OfferedTools {
  const parts = [
    listed(memberOf(body, 'tools'), 'tools'),
    listed(memberOf(body, 'functions'), 'functions'),
    chosen(memberOf(body, 'tool_choice')),
    chosen(memberOf(body, 'function_call')),
    servers(memberOf(body, 'mcp_servers')),
    memberOf(body, 'web_search_options') === undefined ? [] : ['web_search'],
  ]
  const names = new Set<string>()
  for (const part of parts) {
    if (typeof part === 'string') return { kind: 'malformed', reason: part }
    for (const name of part) names.add(name)
  }
  if (names.size > namesMax) return { kind: 'malformed', reason: `more than ${namesMax} tools are offered` }
  return { kind: 'read', names: [...names] }
}

/** Names, or what is wrong. */
type Names = readonly string[] | string

function listed(list: Json | undefined, where: string, depth = 0): Names {
  if (list === undefined) return []
  if (!isList(list)) return `${where} is not a list`
  const names: string[] = []
  for (const tool of list) {
    const found = namesIn(tool, depth)
    if (typeof found === 'string') return found
    if (found.length === 0) return `a tool in ${where} has no name`
    names.push(...found)
  }
  return names
}

/** A choice is a word such as `auto`, or an object like the tool that is meant. */
function chosen(choice: Json | undefined): Names {
  return choice === undefined || typeof choice === 'string' ? [] : namesIn(choice, 0)
}

/** The provider itself calls these. */
function servers(list: Json | undefined): Names {
  const names = listed(list, 'mcp_servers')
  return typeof names === 'string' || names.length === 0 ? names : ['mcp', ...names.filter((name) => name !== 'url')]
}

function namesIn(tool: Json, depth: number): Names {
  if (!isObject(tool)) return 'a tool is not an object'
  if (depth > depthMax) return 'tools are nested too deeply'
  const lookalike = lookalikeOf(tool, judgedMembers)
  if (lookalike !== undefined) return `a tool has a member '${lookalike}', which some read as another`
  const names: string[] = []
  const type = memberOf(tool, 'type')
  if (type !== undefined && !isName(type)) return 'the type of a tool is not a word'
  if (type !== undefined && !plainTypes.has(type)) names.push(type)
  for (const member of nameMembers) {
    const name = memberOf(tool, member)
    if (name === undefined) continue
    if (!isName(name)) return `the ${member} of a tool is not 1 to 256 printable ASCII characters without spaces`
    names.push(name)
  }
  const nested = [listed(memberOf(tool, 'tools'), 'tools', depth + 1)]
  for (const wrapper of wrappers) {
    const wrapped = memberOf(tool, wrapper)
    if (wrapped !== undefined) nested.push(namesIn(wrapped, depth + 1))
  }
  for (const found of nested) {
    if (typeof found === 'string') return found
    names.push(...found)
  }
  return names
}

function isName(value: Json): value is string {
  return typeof value === 'string' && nameForm.test(value)
}
