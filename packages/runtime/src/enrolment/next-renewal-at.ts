import type { HeldIdentity } from './identity-files.ts'

/** When to renew, in milliseconds since the epoch: at two thirds of the certificate's life, so that a gateway may be away for a third of it. */
export function nextRenewalAt({ notBeforeMs, notAfterMs }: Pick<HeldIdentity, 'notBeforeMs' | 'notAfterMs'>): number {
  return notBeforeMs + Math.floor(((notAfterMs - notBeforeMs) * 2) / 3)
}
