/** Which kind of upstream is meant, as its place among the kinds in the schema: http, mcp at a URL, mcp as a program, llm, a2a. */
export function upstreamBranch(value: unknown): 0 | 1 | 2 | 3 | 4 | undefined {
  if (typeof value !== 'object' || value === null || !('protocol' in value)) return undefined
  if (value.protocol === 'http') return 0
  if (value.protocol === 'llm') return 3
  if (value.protocol === 'a2a') return 4
  if (value.protocol !== 'mcp') return undefined
  return 'command' in value ? 2 : 1
}
