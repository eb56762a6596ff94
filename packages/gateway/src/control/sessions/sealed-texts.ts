import type { SessionId } from './session.ts'

/** Seals what nobody may read in the store. What was sealed for one place opens in no other. */
export interface Seal {
  seal(boundTo: string, text: string): Uint8Array
  /** @throws Fault when it was altered, belongs elsewhere, or the key is another */
  open(boundTo: string, sealed: Uint8Array): string
}

/** Ids of sessions hold no vertical bar. */
export function tokenPlace(session: SessionId, generation: number): string {
  return `session-token|${session}|${generation}`
}

export function handlePlace(session: SessionId, generation: number): string {
  return `session-handle|${session}|${generation}`
}
