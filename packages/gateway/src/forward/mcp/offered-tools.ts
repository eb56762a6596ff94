import { Fault, refused, type Json } from '@sallyport/contract'
import { toolDefinition, type ToolDefinition } from '../../access/mcp/tool-definition.ts'
import type { McpUpstreamAccess } from '../../access/mcp/mcp-upstream.ts'
import { brokenAnswer } from '../exchange.ts'
import { toolsPerUpstreamMax } from '../../policy/tool-pins.ts'
import type { SightSource, ToolSight } from './tool-sight.ts'

/** What agents may see of the tools in a list: those whose definition was accepted. @throws Fault when that cannot be found out */
export type OfferTools = (items: readonly Json[]) => Promise<readonly Json[]>

export function offeredTools(sight: ToolSight, tenant: string, upstream: McpUpstreamAccess): OfferTools {
  if (upstream.tools === 'unpinned') return async (items) => items
  return async (items) => {
    const known = readTools(items)
    const offered = await see(sight, sourceOf(tenant, upstream), { definitions: known.map(({ definition }) => definition) })
    return known.filter(({ definition }) => offered.has(definition.digest)).map(({ item }) => item)
  }
}

/** The tools in a list that could be called and shown. @throws Fault for more than are taken of one upstream */
export function readTools(items: readonly Json[]): readonly { readonly item: Json; readonly definition: ToolDefinition }[] {
  if (items.length > toolsPerUpstreamMax) throw tooMany()
  return items.flatMap((item) => {
    const definition = toolDefinition(item)
    return definition ? [{ item, definition }] : []
  })
}

export function tooMany(): Fault {
  const reason = `the upstream lists more than ${toolsPerUpstreamMax} tools`
  return brokenAnswer(refused('forward.answer-too-large', reason, { detail: 'The upstream lists more tools than the gateway takes.' }))
}

/** As `ToolSight.see`; the Fault says that the log is what failed. */
export async function see(sight: ToolSight, ...asked: Parameters<ToolSight['see']>): ReturnType<ToolSight['see']> {
  return orUnavailable(sight.see(...asked))
}

/** As `ToolSight.look`, likewise. */
export async function look(sight: ToolSight, source: SightSource): ReturnType<ToolSight['look']> {
  return orUnavailable(sight.look(source))
}

export function sourceOf(tenant: string, { name, revision }: McpUpstreamAccess): SightSource {
  return { tenant, upstream: name, revision }
}

async function orUnavailable<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked
  } catch (error) {
    throw error instanceof Fault ? brokenAnswer(refused('audit.unavailable', error.message)) : error
  }
}
