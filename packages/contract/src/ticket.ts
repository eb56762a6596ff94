import { z } from 'zod'
import { isMcpPath } from './client-login.ts'
import { parseJson } from './json.ts'
import { parseSpiffeId, parseThumbprint, type AgentIdentity, type Thumbprint, type TrustDomain } from './names.ts'

/** The request header in which an agent shows its ticket. The gateway reads it and passes it on to nobody. */
export const ticketHeader = 'sallyport-ticket'

/** The only `typ` of a ticket, so that no other JWT is ever taken for one, nor a ticket for another JWT. @see RFC 8725 section 3.11 */
export const ticketType = 'sallyport-ticket+jwt'

/** The only algorithm: what a key signs with belongs to the key and is never the token's word. @see RFC 8725 section 3.1 */
export const ticketAlgorithm = 'ES256'

export const ticketLimits = {
  /** Of the whole ticket: it travels in a header of every request. */
  charactersMax: 4096,
  lifetimeSecondsMax: 300,
  scopesMax: 64,
  /** The agent that shows the ticket, and those before it that passed the work on. */
  actorsMax: 4,
} as const

/** Whom a ticket speaks for, as the operator's identity provider names them. */
export interface TicketSubject {
  /** Issuer identifier of the provider. @see RFC 8414 section 2 */
  readonly issuer: string
  /** Unique within that issuer alone. */
  readonly subject: string
}

/** An agent that acted before, and the certificate that it showed when it passed the work on. */
export interface EarlierActor extends AgentIdentity {
  readonly thumbprint: Thumbprint
}

/**
 * What a ticket says.
 *
 * It is a delegation: `sub` is the person, and `act` the agent that acts for them (RFC 8693 section 4.1). The person stands in `sub_id` too, with the provider
 * that vouches for them (RFC 9493 section 3.2.3), since `sub` alone could be of any provider. Tenant and agent are in the SPIFFE id of the actor and nowhere else:
 * nothing can say the same thing in two ways.
 */
export interface Ticket {
  /** @see ticketIssuer */
  readonly issuer: string
  /** @see ticketAudience */
  readonly audience: string
  readonly id: string
  readonly session: string
  /** Which refresh of the session it came with. */
  readonly generation: number
  readonly person: TicketSubject
  readonly scopes: readonly string[]
  /** The only path at which it counts, where it was given to a program for one resource. @see RFC 8707 */
  readonly resource?: string
  /** The agent that may show it. */
  readonly agent: AgentIdentity
  /**
   * Who acted before, the latest first. Never a reason to permit anything (RFC 8693 section 4.1); a ticket ends with the standing of each of them, and with each of
   * their certificates.
   */
  readonly earlierActors: readonly EarlierActor[]
  /** The only certificate under whose connection it counts. @see RFC 8705 section 3.1 */
  readonly thumbprint: Thumbprint
  readonly issuedAtSeconds: number
  /** At most five minutes later. The ticket does not count from this second on. */
  readonly expiresAtSeconds: number
}

/** The gateways of one trust domain issue tickets together. */
export function ticketIssuer(trustDomain: TrustDomain): string {
  return `spiffe://${trustDomain}`
}

/** And they alone take them. */
export function ticketAudience(trustDomain: TrustDomain): string {
  return `spiffe://${trustDomain}/gateway`
}

const keyId = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const header = z.strictObject({ alg: z.literal(ticketAlgorithm), typ: z.literal(ticketType), kid: keyId })

/**
 * How every ticket begins: the part of its header that is always the same. Whoever finds it in a text has found a ticket, since nobody can sign one that begins
 * otherwise.
 */
export const ticketMark = markOf()

function markOf(): string {
  const fixed = `{"alg":"${ticketAlgorithm}","typ":"${ticketType}","kid":"`
  // As far as it does not depend on what follows: three bytes are four characters.
  return toBase64Url(new TextEncoder().encode(fixed.slice(0, fixed.length - (fixed.length % 3))))
}

const personSubject = z.string().regex(/^[\x20-\x7e]{1,255}$/)
const personIssuer = z.string().regex(/^https?:\/\/[\x21-\x7e]{1,500}$/)
const scopeText = /^(?:[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*)?$/
const seconds = z.int().min(0)

const claims = z.strictObject({
  iss: z.string().max(300),
  aud: z.string().max(300),
  sub: personSubject,
  sub_id: z.strictObject({ format: z.literal('iss_sub'), iss: personIssuer, sub: personSubject }),
  act: z.unknown(),
  sid: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  gen: z.int().min(0),
  scope: z.string().regex(scopeText),
  resource: z.string().refine(isMcpPath).exactOptional(),
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  cnf: z.strictObject({ 'x5t#S256': z.string() }),
  jti: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
})

const compactForm = /^([A-Za-z0-9_-]{1,512})\.([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{86})$/

/**
 * The key that a ticket says it is signed with. Nothing is verified yet.
 *
 * Undefined for everything but the compact form of a JWS in its one canonical spelling, at most 4096 characters, whose protected header is exactly `alg`, `typ`
 * and `kid` with the values of this profile: no `crit`, no `jwk`, no `jku`, no `x5c`, no encryption, no other `alg`.
 *
 * @see RFC 7515 section 7.1
 */
export function readTicketKeyId(text: string): string | undefined {
  if (text.length > ticketLimits.charactersMax) return undefined
  const [, headerText = '', payloadText = '', signatureText = ''] = compactForm.exec(text) ?? []
  const bytes = fromBase64Url(headerText)
  if (!bytes || !fromBase64Url(payloadText) || !fromBase64Url(signatureText)) return undefined
  const parsed = parseJson(bytes, { bytesMax: 384, depthMax: 1 })
  return parsed.kind === 'parsed' ? header.safeParse(parsed.value).data?.kid : undefined
}

/**
 * Reads the payload of a ticket whose signature holds.
 *
 * Undefined for JSON that is not strict, an unknown, missing or malformed claim, a person that `sub` and `sub_id` name differently, more actors than four, or a
 * lifetime that is not within five minutes.
 */
export function readTicketClaims(payload: Uint8Array): Ticket | undefined {
  const parsed = parseJson(payload, { bytesMax: ticketLimits.charactersMax, depthMax: ticketLimits.actorsMax + 2 })
  const read = parsed.kind === 'parsed' ? claims.safeParse(parsed.value).data : undefined
  if (!read) return undefined
  const { agent, earlierActors } = readActors(read.act) ?? {}
  const thumbprint = parseThumbprint(read.cnf['x5t#S256'])
  const scopes = read.scope === '' ? [] : read.scope.split(' ')
  if (!agent || !earlierActors || !thumbprint || scopes.length > ticketLimits.scopesMax || read.sub !== read.sub_id.sub) return undefined
  if (read.nbf !== read.iat || read.exp <= read.iat || read.exp - read.iat > ticketLimits.lifetimeSecondsMax) return undefined
  return {
    issuer: read.iss,
    audience: read.aud,
    id: read.jti,
    session: read.sid,
    generation: read.gen,
    person: { issuer: read.sub_id.iss, subject: read.sub },
    scopes,
    ...(read.resource !== undefined && { resource: read.resource }),
    agent,
    earlierActors,
    thumbprint,
    issuedAtSeconds: read.iat,
    expiresAtSeconds: read.exp,
  }
}

/** The payload of a ticket. What it writes `readTicketClaims` reads, or it was no ticket: a scope with a space, a longer life, a subject that is not ASCII. */
export function writeTicketClaims(ticket: Ticket): Uint8Array {
  const { issuer, audience, id, session, generation, person, scopes, resource, agent, earlierActors, thumbprint, issuedAtSeconds, expiresAtSeconds } = ticket
  const written: z.infer<typeof claims> = {
    iss: issuer,
    aud: audience,
    sub: person.subject,
    sub_id: { format: 'iss_sub', iss: person.issuer, sub: person.subject },
    act: { sub: agent.id, ...writeEarlier(earlierActors) },
    sid: session,
    gen: generation,
    scope: scopes.join(' '),
    ...(resource !== undefined && { resource }),
    iat: issuedAtSeconds,
    nbf: issuedAtSeconds,
    exp: expiresAtSeconds,
    cnf: { 'x5t#S256': thumbprint },
    jti: id,
  }
  return new TextEncoder().encode(JSON.stringify(written))
}

const certificate = z.strictObject({ 'x5t#S256': z.string() })
const actor = z.strictObject({ sub: z.string().max(512), act: z.unknown().optional() })
const earlierActor = actor.extend({ cnf: certificate })

function readActors(value: unknown): Pick<Ticket, 'agent' | 'earlierActors'> | undefined {
  const read = actor.safeParse(value).data
  const agent = read && parseSpiffeId(read.sub)
  const earlierActors = read && readEarlier(read, ticketLimits.actorsMax - 1)
  return agent && earlierActors && { agent, earlierActors }
}

function readEarlier(later: z.infer<typeof actor>, most: number): readonly EarlierActor[] | undefined {
  if (!('act' in later)) return []
  const read = most > 0 ? earlierActor.safeParse(later.act).data : undefined
  const identity = read && parseSpiffeId(read.sub)
  const thumbprint = read && parseThumbprint(read.cnf['x5t#S256'])
  const earlier = read && readEarlier(read, most - 1)
  return identity && thumbprint && earlier && [{ ...identity, thumbprint }, ...earlier]
}

/** The certificate of the first actor stands beside it, in `cnf` of the ticket; of those before in their own claim. */
function writeEarlier([first, ...earlier]: readonly EarlierActor[]): { readonly act?: object } {
  return first ? { act: { sub: first.id, cnf: { 'x5t#S256': first.thumbprint }, ...writeEarlier(earlier) } } : {}
}

/** A public key that verifies tickets. @see RFC 7517, RFC 7518 section 6.2 */
export const ticketJwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  y: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  kid: keyId.meta({ description: 'The thumbprint of the key (RFC 7638)' }),
  alg: z.literal(ticketAlgorithm),
  use: z.literal('sig'),
})

export type TicketJwk = z.infer<typeof ticketJwk>

/** Undefined for every spelling but the canonical one, so that a ticket has exactly one text. @see RFC 4648 section 3.5 */
function fromBase64Url(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (unit) => unit.charCodeAt(0))
  return toBase64Url(bytes) === text ? bytes : undefined
}

function toBase64Url(bytes: Uint8Array): string {
  let units = ''
  for (const byte of bytes) units += String.fromCharCode(byte)
  return btoa(units).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
