import type { AccessRequest } from '../access/access-request.ts'
import { isPermit, type Permit } from '../policy/decision.ts'

class ReceiptProof {
  #isSpent = false
  /** What was judged, and is sent. */
  readonly request: AccessRequest
  /** The entry's index in the log. */
  readonly index: number

  constructor(request: AccessRequest, index: number) {
    this.request = request
    this.index = index
  }

  static spend(value: unknown): boolean {
    if (typeof value !== 'object' || value === null || !(#isSpent in value) || value.#isSpent) return false
    value.#isSpent = true
    return true
  }
}

/** The proof that the decision is durable in the log. One receipt forwards one call. */
export type Receipt = ReceiptProof

/** True once for a genuine receipt, false ever after and for anything else. `forward` sends nothing without it. */
export const spendReceipt = ReceiptProof.spend

/** For the ledger alone, whose word it is that the permit's entry is durable at `index`. */
export function receiptFor(request: AccessRequest, permit: Permit, index: number): Receipt {
  if (!isPermit(permit)) throw new TypeError('a receipt needs a permit that policy made')
  return new ReceiptProof(request, index)
}
