import { z } from 'zod'
import { ticketAlgorithm } from './ticket.ts'

/** The request header in which the gateway tells an agent which other agent calls. */
export const callerHeader = 'sallyport-caller'

/** The only `typ` of it: a ticket is never taken for one, nor the reverse. @see RFC 8725 section 3.11 */
export const callerType = 'sallyport-caller+jwt'

export const callerAlgorithm = ticketAlgorithm

export const callerLimits = { lifetimeSecondsMax: 60 } as const

const spiffeId = z.string().startsWith('spiffe://').max(512)
const seconds = z.int().min(0)

/**
 * What the gateway says of one call, signed with the keys that `GET /sallyport/v1/jwks` shows. It authorises nothing: what the caller may do was judged before.
 *
 * Whoever takes it checks the signature, `typ`, `iss`, `aud` and the times, and that `cnf` is the own certificate.
 */
export const callerClaims = z.strictObject({
  iss: spiffeId.meta({ description: 'spiffe://<trust domain>' }),
  aud: spiffeId.meta({ description: 'The agent that is called' }),
  sub: spiffeId.meta({ description: 'The agent that calls' }),
  cnf: z
    .strictObject({ 'x5t#S256': z.string().regex(/^[A-Za-z0-9_-]{43}$/) })
    .meta({ description: 'The certificate that the called agent showed to the gateway' }),
  iat: seconds,
  exp: seconds.meta({ description: 'At most a minute later' }),
  jti: z.string().max(64).meta({ description: 'The id of the request, by which the log finds it' }),
})

export type CallerClaims = z.infer<typeof callerClaims>
