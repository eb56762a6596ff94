import type { HeldCall } from '../../ledger.ts'

/** What the console of an operator can read of held calls. */
export interface HeldCallsView {
  find(approval: string): Promise<HeldCall | undefined>
}
