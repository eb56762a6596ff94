import type { LogEvent } from '@sallyport/contract'
import type { ToolDefinition } from './access/mcp/tool-definition.ts'
import { entryTime } from './audit/entries.ts'
import type { SeenTools } from './forward/mcp/tool-sight.ts'
import type { PinnedTool, ToolOwner, ToolPins, ToolSource } from './policy/tool-pins.ts'

/** Keeps the definitions behind the digests in the log, sealed: they say what a tenant works with. */
export interface ToolDefinitions {
  /** Durable when it resolves; keeping a definition again changes nothing. @throws Fault */
  keep(owner: ToolOwner, definitions: readonly ToolDefinition[]): Promise<void>
  /** Forgets every other definition of the tool. @throws Fault */
  keepOnly(owner: ToolOwner, tool: string, digest: string): Promise<void>
}

/** What an operator can read of them. */
export interface ToolDefinitionsView {
  /** Undefined when it is not kept. @throws Fault when the record was altered */
  find(owner: ToolOwner, tool: string, digest: string): Promise<string | undefined>
}

/** Changes the state and takes the place of its entry in the same turn. @see Ledger.enter */
export type Enter = (change: (now: number) => LogEvent | undefined) => Promise<unknown>

export type Accepted =
  | { readonly kind: 'unknown-tool' }
  /** Accepted already, or never seen. */
  | { readonly kind: 'not-waiting' }
  /** What this digest stands for is not known here, so nobody can have seen it. */
  | { readonly kind: 'not-kept' }
  | { readonly kind: 'accepted'; readonly before: string | undefined }

/** The one place where definitions of tools become known and accepted: each step is in the log, in the order of everything else. Beside the ledger, on its thread. */
export class ToolRegister {
  readonly #enter: Enter
  readonly #pins: ToolPins
  readonly #definitions: ToolDefinitions & ToolDefinitionsView
  readonly #listeners = new Set<(owner: ToolOwner) => void>()
  /** The last acceptance on its way to the disk: nothing is shown on its strength before. */
  #accepting: Promise<unknown> = Promise.resolve()

  constructor(enter: Enter, pins: ToolPins, definitions: ToolDefinitions & ToolDefinitionsView) {
    this.#enter = enter
    this.#pins = pins
    this.#definitions = definitions
  }

  look(source: ToolSource): { readonly isFresh: boolean; readonly changes: number } {
    return { isFresh: this.#pins.isFresh(source), changes: this.#pins.changes(source) }
  }

  all(upstream?: string): readonly PinnedTool[] {
    return this.#pins.all(upstream)
  }

  mayHaveChanged(owner: ToolOwner): void {
    this.#pins.mayHaveChanged(owner)
  }

  announce(owner: ToolOwner): void {
    this.#pins.mayHaveChanged(owner)
    for (const hear of this.#listeners) hear(owner)
  }

  /** Calls `hear` with whose tools agents would see others of. Gives the function that ends it. */
  onAnnounce(hear: (owner: ToolOwner) => void): () => void {
    this.#listeners.add(hear)
    return () => void this.#listeners.delete(hear)
  }

  /** The digests of those that an agent may see. What is new or changed is kept and in the log when it resolves. @throws Fault */
  async see({ revision, ...owner }: ToolSource, { definitions, whole }: SeenTools): Promise<readonly string[]> {
    const pins = this.#pins
    // A part of a list says nothing of what is new before all of it was seen once.
    const isFirst = !pins.isListed(owner)
    if (whole || !isFirst) {
      const first = whole && isFirst ? whole.first : 'held'
      const novel = definitions.filter((definition) => pins.step(owner, definition, first))
      if (novel.length > 0) await this.#definitions.keep(owner, novel)
      await Promise.all(novel.map(async (definition) => this.#take(owner, definition, first)))
    }
    // Servers add tools while they start: a listing that was overtaken by a change does not end the first sight.
    if (whole && isFirst && whole.changes === pins.changes(owner)) await this.#list(owner, definitions.length)
    if (whole) pins.refresh({ ...owner, revision }, whole.changes)
    await this.#accepting
    return definitions.filter((definition) => pins.isOffered(owner, definition)).map(({ digest }) => digest)
  }

  /** A person accepts a definition that waits, or again the one that counts, which ends the waiting. Durable when it resolves. @throws Fault */
  async accept(owner: ToolOwner, tool: string, digest: string, person: string): Promise<Accepted> {
    const known = this.#pins.find(owner, tool)
    if (!known) return { kind: 'unknown-tool' }
    if (!isWaiting(known, digest)) return { kind: 'not-waiting' }
    if ((await this.#definitions.find(owner, tool, digest)) === undefined) return { kind: 'not-kept' }
    const accepting = this.#enter((now) => {
      const { accepted: before } = this.#pins.find(owner, tool) ?? { accepted: undefined }
      const change = { ...owner, act: 'accepted', tool, digest, person, ...(before !== undefined && { before }) } as const
      this.#pins.apply(change)
      return { v: 1, type: 'tool', time: entryTime(now), ...change }
    })
    this.#accepting = accepting.catch(() => undefined)
    await accepting
    this.announce(owner)
    await this.#definitions.keepOnly(owner, tool, digest)
    return { kind: 'accepted', before: known.accepted }
  }

  async #take(owner: ToolOwner, definition: ToolDefinition, first: 'pinned' | 'held'): Promise<void> {
    await this.#enter((now) => {
      const change = this.#pins.step(owner, definition, first) // another listing may have been faster
      if (!change) return undefined
      this.#pins.apply(change)
      return { v: 1, type: 'tool', time: entryTime(now), ...change }
    })
  }

  async #list(owner: ToolOwner, tools: number): Promise<void> {
    await this.#enter((now) => {
      if (this.#pins.isListed(owner)) return undefined
      this.#pins.list(owner)
      return { v: 1, type: 'tools-listed', time: entryTime(now), ...owner, tools }
    })
  }
}

function isWaiting({ accepted, held }: Pick<PinnedTool, 'accepted' | 'held'>, digest: string): boolean {
  return held.includes(digest) || (held.length > 0 && accepted === digest)
}
