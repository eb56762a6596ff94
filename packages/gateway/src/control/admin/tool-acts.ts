import { refused, unreachable, type Json, type Refused } from '@sallyport/contract'
import type { PinnedTool, ToolOwner } from '../../policy/tool-pins.ts'
import type { Accepted, ToolDefinitionsView } from '../../tool-register.ts'

/** The register of tools as an operator uses it. */
export interface ToolLedger {
  tools(upstream?: string): Promise<readonly PinnedTool[]>
  acceptTool(owner: ToolOwner, tool: string, digest: string, person: string): Promise<Accepted>
}

/** A tool as an operator names it; the tenant may be left out where only one knows the tool. */
interface NamedTool {
  readonly upstream: string
  readonly tool: string
  readonly tenant?: string | undefined
}

/** What waits for a person comes first. Refuses `control.not-found` for an upstream of which no tool was seen. */
export async function listTools(ledger: ToolLedger, upstream: string | undefined): Promise<object> {
  const tools = (await ledger.tools(upstream)).map((tool) => ({ ...tool, standing: tool.held.length > 0 ? 'held' : 'accepted' }))
  if (upstream !== undefined && tools.length === 0) {
    return refused('control.not-found', undefined, { detail: `No tool of an upstream ${upstream} was seen: "sallyport tools list" shows those that were.` })
  }
  return { tools: tools.toSorted((one, other) => other.standing.localeCompare(one.standing)) }
}

/** The definition that counts and those that wait, newest last. */
export async function diffTool(ledger: ToolLedger, definitions: ToolDefinitionsView, named: NamedTool): Promise<object> {
  const known = await findTool(ledger, named)
  if ('problem' in known) return known
  const { tenant, upstream, tool, accepted, held } = known
  const read = async (digest: string): Promise<{ readonly digest: string; readonly definition: Json }> => {
    const text = await definitions.find(known, tool, digest)
    return { digest, definition: text === undefined ? null : JSON.parse(text) }
  }
  return { tenant, upstream, tool, accepted: accepted === undefined ? null : await read(accepted), held: await Promise.all(held.map(read)) }
}

export async function acceptTool(
  ledger: ToolLedger,
  { digest, person, ...named }: NamedTool & { readonly digest: string; readonly person: string },
): Promise<object> {
  const known = await findTool(ledger, named)
  if ('problem' in known) return known
  const { tenant, upstream, tool } = known
  const result = await ledger.acceptTool({ tenant, upstream }, tool, digest, person)
  switch (result.kind) {
    case 'accepted':
      return { kind: 'accepted', tenant, upstream, tool, digest, before: result.before ?? null }
    case 'unknown-tool':
      return refused('control.not-found', undefined, { detail: 'No such tool was seen.' })
    case 'not-waiting':
      return refused('control.conflict', undefined, { detail: 'This definition does not wait for anyone: see `sallyport tools diff`.' })
    case 'not-kept':
      return refused('control.not-found', undefined, {
        detail: 'This definition is not kept here, so nobody can have seen it: let an agent list the tools again.',
      })
    default:
      return unreachable(result)
  }
}

async function findTool(ledger: ToolLedger, { upstream, tool, tenant }: NamedTool): Promise<PinnedTool | Refused> {
  const all = await ledger.tools(upstream)
  const known = all.filter((candidate) => candidate.tool === tool && (tenant === undefined || candidate.tenant === tenant))
  const [only] = known
  if (!only) return refused('control.not-found', undefined, { detail: 'No such tool was seen.' })
  if (known.length === 1) return only
  const tenants = known.slice(0, 10).map((candidate) => candidate.tenant)
  return refused('control.invalid-input', undefined, { detail: `Several tenants know this tool: give --tenant, one of ${tenants.join(', ')}.` })
}
