import type { Problem } from '@sallyport/contract'
import type { FoundAt } from './detections.ts'
import type { Reserve } from './token-use.ts'

export type Effect = 'deny' | 'hold' | 'permit'

/** Why: enough for `explain` to tell the story years later. */
export interface Grounds {
  readonly rules: readonly string[]
  readonly shadow: readonly { readonly rule: string; readonly decision: Effect }[]
  /** The scalar values that the conditions of these rules read, by path (`args.amount`). */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>
  /** What these conditions detected in the call, by detector and path. */
  readonly found?: readonly FoundAt[]
  readonly quotas: readonly string[]
  /** What these quotas hold back until the outcome of the call. */
  readonly reserved?: Reserve
  readonly reason: string | undefined
}

/** Keyed digest of the exact call, base64url. */
export type CallDigest = string

export interface Denial {
  readonly kind: 'deny'
  readonly problem: Problem
  readonly grounds: Grounds
}

export interface Hold {
  readonly kind: 'hold'
  readonly approval: { readonly id: string; readonly expiresAt: number }
  /** False when this very call already waits for this approval. */
  readonly isNew: boolean
  readonly grounds: Grounds
}

class PermitProof {
  readonly #genuine = true
  readonly kind = 'permit'
  readonly grounds: Grounds
  /** The approval that this permit used up. */
  readonly approval: string | undefined

  constructor(grounds: Grounds, approval: string | undefined) {
    this.grounds = grounds
    this.approval = approval
  }

  static isGenuine(value: unknown): value is PermitProof {
    return typeof value === 'object' && value !== null && #genuine in value && value.#genuine
  }
}

/** The proof that rules permit this call. Only `policy` makes one. */
export type Permit = PermitProof
export type Decision = Denial | Hold | Permit

export const isPermit = PermitProof.isGenuine

/** For `decide.ts` alone. */
export function permit(grounds: Grounds, approval?: string): Permit {
  return new PermitProof(grounds, approval)
}
