import { isPermit, type Permit } from '../policy/decision.ts'

class ReceiptProof {
  #isSpent = false
  readonly permit: Permit
  /** The entry's index in the log. */
  readonly index: number

  constructor(permit: Permit, index: number) {
    this.permit = permit
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

/**
 * Waits until the permit's entry is durable and only then makes the receipt.
 *
 * @throws Fault when the log cannot tell that the entry is durable; the call must not be forwarded.
 */
export async function receiptFor(permit: Permit, durable: Promise<number>): Promise<Receipt> {
  if (!isPermit(permit)) throw new TypeError('a receipt needs a permit that policy made')
  return new ReceiptProof(permit, await durable)
}
