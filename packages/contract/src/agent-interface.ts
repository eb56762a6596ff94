import { z } from 'zod'
import { problems, type ProblemCode, type ProblemDocument } from './problem.ts'
import { ticketJwk, ticketLimits } from './ticket.ts'

/** Paths under which an agent asks the gateway about itself. */
export const ownPaths = {
  whoami: '/sallyport/v1/whoami',
  catalog: '/sallyport/v1/catalog',
  certificate: '/sallyport/v1/certificate',
  sessionClaim: '/sallyport/v1/session/claim',
  sessionRefresh: '/sallyport/v1/session/refresh',
  sessionEnd: '/sallyport/v1/session/end',
  sessionDelegate: '/sallyport/v1/session/delegate',
  jwks: '/sallyport/v1/jwks',
  runs: '/sallyport/v1/runs',
  records: '/sallyport/v1/records',
} as const

/**
 * The request header in which a bridge says at which loopback address its client reached it. The gateway writes it into nothing but what goes back to that client:
 * the card of an agent, metadata of the login, and `iss` in the answer to its authorization request.
 */
export const reachedAtHeader = 'sallyport-reached-at'

/** `GET /sallyport/v1/whoami`. Unknown members are ignored, so that a newer gateway can say more. */
export const whoamiAnswer = z.object({
  id: z.string().max(2048),
  tenant: z.string().max(63),
  agent: z.string().max(63),
  notAfter: z.iso.datetime({ precision: 3 }),
  session: z
    .object({ id: z.string().max(64), person: z.string().max(255), issuer: z.string().max(512), scopes: z.array(z.string().max(4096)).max(64) })
    .exactOptional()
    .meta({ description: 'What the ticket says that came with the request' }),
})

export type WhoamiAnswer = z.infer<typeof whoamiAnswer>

/** `GET /sallyport/v1/catalog`: what this agent could reach, judged by `match` alone. */
export const catalogAnswer = z.object({
  upstreams: z
    .array(
      z.object({
        name: z.string().max(63),
        protocol: z.enum(['http', 'mcp', 'llm', 'a2a']),
        hosts: z.array(z.string().max(259)).max(32).meta({ description: 'Names, with a port or without, under which an HTTP proxy client may call it' }),
      }),
    )
    .max(4096),
})

export type CatalogAnswer = z.infer<typeof catalogAnswer>

/** `POST /sallyport/v1/session/claim`. */
export const sessionClaimRequest = z.strictObject({})

/** 256 random bits, base64url. */
const sessionHandle = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** `POST /sallyport/v1/session/refresh` and `POST /sallyport/v1/session/end`. */
export const sessionHandleRequest = z.strictObject({ handle: sessionHandle })

/** What comes back from a claim and from a refresh. The handle serves once: whoever refreshes stores its successor before anything else. */
export const sessionGrantAnswer = z.object({
  session: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  handle: sessionHandle,
  ticket: z.string().max(ticketLimits.charactersMax),
  ticketExpiresAt: z.iso.datetime({ precision: 3 }),
  sessionExpiresAt: z.iso.datetime({ precision: 3 }),
})

export type SessionGrantAnswer = z.infer<typeof sessionGrantAnswer>

/** `POST /sallyport/v1/session/end`. */
export const sessionEndAnswer = z.object({ ended: z.literal(true) })

/** `GET /sallyport/v1/jwks`: the keys that verify tickets, also the one that signs next. @see RFC 7517 section 5 */
export const jwksAnswer = z.object({ keys: z.array(ticketJwk).max(16) })

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problems, code)

const problemAnswer = z.object({
  type: z.string().startsWith('https://sallyport.dev/problems/').max(256),
  title: z.string().max(512),
  status: z.int().min(400).max(599),
  code: z.string().max(128).refine(isProblemCode),
  instance: z.string().max(256),
  detail: z.string().max(4096).exactOptional(),
  retryAfterSeconds: z.int().min(0).exactOptional(),
  approval: z.object({ id: z.string().max(256), expiresAt: z.string().max(64) }).exactOptional(),
  faults: z.array(z.record(z.string(), z.json())).max(1000).exactOptional(),
})

/**
 * Reads a problem document that came over the wire; `undefined` for anything else, one with a code that this version does not know included.
 *
 * It says what the answer claims: an upstream can imitate it, so it may inform a caller and never authorise anything.
 *
 * @see RFC 9457 section 3
 */
export function parseProblemDocument(value: unknown): ProblemDocument | undefined {
  const parsed = problemAnswer.safeParse(value)
  return parsed.success ? parsed.data : undefined
}
