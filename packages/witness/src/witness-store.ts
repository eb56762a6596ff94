/**
 * What a witness remembers: of each log the newest checkpoint that it cosigned, with its cosignature.
 *
 * One process at a time has it open. Both verbs throw Fault; after `keep` did, the note may be there or the one before.
 */
export interface WitnessStore {
  /** Undefined for a log of which nothing was cosigned. What is read is durable. */
  read(origin: string): Promise<string | undefined>
  /** Puts the note in place of the one before. Atomic, and durable when it resolves. */
  keep(origin: string, note: string): Promise<void>
  close(): void
}
