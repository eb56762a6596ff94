import type { ToolDefinition } from '../../access/mcp/tool-definition.ts'

export interface SeenTools {
  readonly definitions: readonly ToolDefinition[]
  /** Given when these are all the tools of the upstream. */
  readonly whole?: {
    /** What becomes of them if they are the first that are seen of this upstream. */
    readonly first: 'pinned' | 'held'
    /** `changes` when the listing began. */
    readonly changes: number
  }
}

/** Whose view of an upstream. */
export interface SightOwner {
  readonly tenant: string
  readonly upstream: string
}

/** An upstream as it is configured now. */
export interface SightSource extends SightOwner {
  readonly revision: string
}

/** Where the definitions of tools are compared with those that were accepted. */
export interface ToolSight {
  /** Whether all the tools were seen since they last may have changed, and how often they may have changed so far. @throws Fault */
  look(source: SightSource): Promise<{ readonly isFresh: boolean; readonly changes: number }>
  /** To be told of everything that hints at it: the tools must be listed before one is called. */
  mayHaveChanged(owner: SightOwner): void
  /** The upstream says so: who watches is told as well. */
  announce(owner: SightOwner): void
  /** Calls `tell` whenever agents would see other tools. Gives the function that ends it. */
  watch(owner: SightOwner, tell: () => void): () => void
  /**
   * Takes in what an upstream lists; whatever is new or changed is kept for a person and in the log when this resolves. Gives the digests of those that an agent
   * may see.
   *
   * @throws Fault when that cannot be written; nothing of the list may be shown then.
   */
  see(source: SightSource, seen: SeenTools): Promise<ReadonlySet<string>>
}

/** Who is to be told of which tools. */
export class ToolWatchers {
  readonly #watchers = new Map<string, Set<() => void>>()

  watch(owner: SightOwner, tell: () => void): () => void {
    const key = keyOf(owner)
    const watchers = this.#watchers.get(key) ?? new Set()
    this.#watchers.set(key, watchers.add(tell))
    return () => {
      watchers.delete(tell)
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key)
    }
  }

  tell(owner: SightOwner): void {
    for (const tell of this.#watchers.get(keyOf(owner)) ?? []) tell()
  }
}

function keyOf({ tenant, upstream }: SightOwner): string {
  return `${tenant}/${upstream}`
}
