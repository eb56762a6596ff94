import type { ToolEvent, ToolsListedEvent } from '@sallyport/contract'
import type { ToolDefinition } from '../access/mcp/tool-definition.ts'

/** Tools that are known of one upstream; a list of more is not taken. */
export const toolsPerUpstreamMax = 1024
/** Definitions of one tool that wait for a person; while they do, further ones are kept from agents without being remembered. */
export const heldPerToolMax = 4

/** Whose tools: each tenant has its own view of an upstream. */
export interface ToolOwner {
  readonly tenant: string
  readonly upstream: string
}

/** An upstream as it is configured now: with another revision, another server may be behind its name. */
export interface ToolSource extends ToolOwner {
  readonly revision: string
}

/** `unlisted`: the gateway does not know what the upstream says of it now. */
export type ToolStanding = 'held' | 'unlisted' | 'accepted'

export interface PinnedTool extends ToolOwner {
  readonly tool: string
  /** The digest that counts. */
  readonly accepted: string | undefined
  /** Digests that wait for a person, oldest first. */
  readonly held: readonly string[]
}

/** One step of a tool, as the log tells it. */
export type ToolChange = Omit<ToolEvent, 'v' | 'type' | 'time'>

export interface DumpedTools {
  readonly tools: readonly PinnedTool[]
  /** Upstreams whose tools were listed once, as TENANT/UPSTREAM. */
  readonly listed: readonly string[]
}

interface Upstream {
  readonly tools: Map<string, PinnedTool>
  isListed: boolean
}

/**
 * Which definition of each tool counts. One that was never accepted is never shown, and while one waits for a person the tool is not called.
 *
 * Freshness is the only part that the log does not tell: after a start, and whenever tools may have changed, they must be listed before one is called.
 */
export class ToolPins {
  readonly #upstreams = new Map<string, Upstream>()
  /** Where the tools were listed since they last may have changed, and at which revision. */
  readonly #fresh = new Map<string, string>()
  readonly #changes = new Map<string, number>()

  standing(source: ToolSource, tool: string): ToolStanding {
    const known = this.#upstreams.get(keyOf(source))?.tools.get(tool)
    if (!known || !this.isFresh(source)) return 'unlisted'
    return known.held.length > 0 || known.accepted === undefined ? 'held' : 'accepted'
  }

  /** Whether agents may see this definition. */
  isOffered(owner: ToolOwner, { name, digest }: ToolDefinition): boolean {
    const known = this.#upstreams.get(keyOf(owner))?.tools.get(name)
    return known?.accepted === digest && known.held.length === 0
  }

  isListed(owner: ToolOwner): boolean {
    return this.#upstreams.get(keyOf(owner))?.isListed === true
  }

  isFresh(source: ToolSource): boolean {
    return this.#fresh.get(keyOf(source)) === source.revision
  }

  /** How often the tools may have changed so far. */
  changes(owner: ToolOwner): number {
    return this.#changes.get(keyOf(owner)) ?? 0
  }

  mayHaveChanged(owner: ToolOwner): void {
    this.#fresh.delete(keyOf(owner))
    this.#changes.set(keyOf(owner), this.changes(owner) + 1)
  }

  /** Every tool was listed, in a listing that began when `changes` was this; one that was overtaken by a change leaves things as they are. */
  refresh(source: ToolSource, changes: number): void {
    if (changes === this.changes(source)) this.#fresh.set(keyOf(source), source.revision)
  }

  /**
   * The step that this definition is for its tool; undefined when it is known already, or there is no room for it.
   *
   * @param first what a tool gets that was not known before
   */
  step(owner: ToolOwner, { name, digest }: ToolDefinition, first: 'pinned' | 'held'): ToolChange | undefined {
    const tools = this.#upstreams.get(keyOf(owner))?.tools
    const known = tools?.get(name)
    if (!known) return tools && tools.size >= toolsPerUpstreamMax ? undefined : { ...owner, act: first, tool: name, digest }
    if (known.accepted === digest || known.held.includes(digest) || known.held.length >= heldPerToolMax) return undefined
    return { ...owner, act: 'held', tool: name, digest, ...(known.accepted !== undefined && { before: known.accepted }) }
  }

  /** Takes a step, live or from the log. What a person accepts settles everything that waited: if the upstream says something else still, it is held anew. */
  apply({ tenant, upstream, tool, act, digest }: ToolChange): void {
    const { tools } = this.#of({ tenant, upstream })
    const { accepted, held } = tools.get(tool) ?? { accepted: undefined, held: [] }
    if (act === 'held')
      tools.set(tool, { tenant, upstream, tool, accepted, held: [...held.filter((other) => other !== digest), digest].slice(-heldPerToolMax) })
    else tools.set(tool, { tenant, upstream, tool, accepted: digest, held: [] })
  }

  list({ tenant, upstream }: Pick<ToolsListedEvent, 'tenant' | 'upstream'>): void {
    this.#of({ tenant, upstream }).isListed = true
  }

  find({ tenant, upstream }: ToolOwner, tool: string): PinnedTool | undefined {
    return this.#upstreams.get(keyOf({ tenant, upstream }))?.tools.get(tool)
  }

  /** Everything that is known, of one upstream or of all. */
  all(upstream?: string): readonly PinnedTool[] {
    const known = [...this.#upstreams.values()].flatMap(({ tools }) => [...tools.values()])
    return upstream === undefined ? known : known.filter((tool) => tool.upstream === upstream)
  }

  /** Everything that the log tells, for `restore`. */
  dump(): DumpedTools {
    return { tools: this.all(), listed: [...this.#upstreams].flatMap(([key, { isListed }]) => (isListed ? [key] : [])) }
  }

  /** Takes over what `dump` gave, into an empty one. */
  restore({ tools, listed }: DumpedTools): void {
    for (const tool of tools) this.#of(tool).tools.set(tool.tool, tool)
    for (const key of listed) {
      const [tenant = '', upstream = ''] = key.split('/')
      this.#of({ tenant, upstream }).isListed = true
    }
  }

  #of(owner: ToolOwner): Upstream {
    const key = keyOf(owner)
    const known = this.#upstreams.get(key) ?? { tools: new Map(), isListed: false }
    this.#upstreams.set(key, known)
    return known
  }
}

function keyOf({ tenant, upstream }: ToolOwner): string {
  return `${tenant}/${upstream}`
}
