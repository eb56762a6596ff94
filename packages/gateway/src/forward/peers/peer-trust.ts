import type { Refused } from '@sallyport/contract'
import type { Connection } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'

/** PEM texts. */
export interface PeerCredentials {
  readonly certificatePem: string
  readonly keyPem: string
  readonly rootsPem: readonly string[]
}

/** How the gateway and an agent that it calls prove to each other who they are. */
export interface PeerTrust {
  /** What the gateway shows, and the roots under which it looks at others: as they are now, the same object until they change. */
  readonly credentials: PeerCredentials
  /** Who is at the other end, if the certificate counts at this moment. */
  identify(connection: Connection): Principal | Refused
}
