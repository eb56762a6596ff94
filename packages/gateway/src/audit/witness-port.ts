import type { CosignerKey } from '@sallyport/contract/log'

/** What a witness says to a checkpoint. Nothing of it is trusted: `lines` are signatures only if they verify. */
export type WitnessReply =
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }
  /** It last cosigned a checkpoint of another size. */
  | { readonly kind: 'knows'; readonly size: number }
  | { readonly kind: 'cosigned'; readonly lines: string }

/** Someone else, on another host, who cosigns checkpoints. @see https://c2sp.org/tlog-witness */
export interface WitnessPort {
  readonly key: CosignerKey
  readonly url: string
  /** Shows it a checkpoint, with the proof that it continues the first `oldSize` entries. @throws Fault when it does not answer in time */
  submit(oldSize: number, proof: readonly Uint8Array[], checkpoint: string): Promise<WitnessReply>
  close(): void
}

/**
 * `conflict`: it has seen a log of this key that ours does not continue. Either ours was rolled back or rewritten, or somebody else signs with its key.
 * `fails`: it did not answer, or the proof for it could not be made.
 */
export type WitnessState = 'conflict' | 'refuses' | 'fails' | 'unasked' | 'cosigns'

export interface WitnessStanding {
  readonly name: string
  readonly url: string
  readonly state: WitnessState
  /** Of the newest checkpoint that it is known to have cosigned. */
  readonly size: number
  /** When it cosigned that, by its own clock; absent when only the size is known. */
  readonly time?: string
  /** Why it does not cosign. */
  readonly problem?: string
}
