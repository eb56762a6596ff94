import { z } from 'zod'
import { ticketLimits } from './ticket.ts'

/** @see RFC 8693 section 2.1 */
export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** What goes in and what comes out: a ticket is a JWT. @see RFC 8693 section 3 */
export const ticketTokenType = 'urn:ietf:params:oauth:token-type:jwt'

/** `POST /sallyport/v1/session/delegate`. @see RFC 8693 section 2.2.1 */
export const tokenExchangeAnswer = z.object({
  access_token: z.string().max(ticketLimits.charactersMax).meta({ description: 'The ticket of the other agent; the name is that of the RFC' }),
  issued_token_type: z.literal(ticketTokenType),
  token_type: z.literal('N_A').meta({ description: 'It is shown in a header of its own, and with a certificate' }),
  expires_in: z.int().min(1).max(ticketLimits.lifetimeSecondsMax),
  scope: z.string().meta({ description: 'What the ticket carries, which can be less than what was asked for' }),
})

export type TokenExchangeAnswer = z.infer<typeof tokenExchangeAnswer>

/** @see RFC 6749 section 5.2, RFC 8693 section 2.2.2 */
export const tokenExchangeError = z.object({
  error: z.enum(['invalid_request', 'invalid_client', 'invalid_grant', 'invalid_scope', 'invalid_target', 'unsupported_grant_type', 'temporarily_unavailable']),
  error_description: z.string().regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/),
  error_uri: z.string(),
})

export type TokenExchangeError = z.infer<typeof tokenExchangeError>
