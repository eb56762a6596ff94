import type { AgentKey, Block, RegisteredAgent, RosterState } from '../authority/agent-store.ts'

/** What one gateway has changed in the shared store, and the others must know. */
export type ClusterChange =
  | { readonly kind: 'standing'; readonly agent: AgentKey; readonly standing: RegisteredAgent['standing'] }
  | { readonly kind: 'revoked'; readonly certificates: RosterState['revokedCertificates'] }
  | { readonly kind: 'blocked' | 'lifted'; readonly block: Block }
  | { readonly kind: 'session-ended'; readonly session: string }
  | { readonly kind: 'ticket-keys' }

export interface PlacedChange {
  /** Later changes have higher places, and none appears below one that was read. */
  readonly place: number
  /** When it was made, by the store's clock. */
  readonly atMs: number
  readonly change: ClusterChange
}

/** The most changes that one look gives. */
export const changesReadMax = 1000

/** For so long a change can be read. A gateway that has not looked for longer must start anew, which reads everything. */
export const changesKeptMs = 7 * 24 * 3_600_000

/** The changes of all gateways that share a store, this one's own included, in one order that all see. A change is kept with what it changes, or neither is. */
export interface ChangeFeed {
  /** The place of the newest change, 0 when there is none. @throws Fault */
  newest(): Promise<number>
  /** The next changes behind a place. @throws Fault */
  behind(place: number): Promise<readonly PlacedChange[]>
}
