import type { Refused } from '@sallyport/contract'
import { loadIdentity, renew, type HeldIdentity } from '../enrolment/index.ts'

/** Where an agent's identity lives between two runs. */
export interface IdentitySource {
  /** Reads what is stored now, which another process may have renewed meanwhile. */
  load(): Promise<HeldIdentity>
  /** Asks the gateway for a new certificate and stores it before it resolves. After a refusal or a `Fault` the stored identity is as before. */
  renew(): Promise<Refused | { readonly kind: 'renewed'; readonly held: HeldIdentity }>
}

/** The identity that `sallyport agent enroll` wrote into `directory`. */
export function identityInFolder(directory: string): IdentitySource {
  return { load: () => loadIdentity(directory), renew: () => renew({ directory }) }
}
