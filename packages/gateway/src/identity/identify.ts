import {
  refused,
  type AgentIdentity,
  type AgentName,
  type EarlierActor,
  type Problem,
  type ProblemCode,
  type Refused,
  type SpiffeId,
  type TenantName,
  type Thumbprint,
} from '@sallyport/contract'
import type { Connection } from '../edge/inbound.ts'
import { readCertificate, type CertificateIdentity } from './certificate-identity.ts'
import type { Roster } from './roster.ts'

/** The session of a person in whose name the agent acts, as a ticket says that counts at this moment. */
export interface PrincipalSession {
  readonly id: string
  readonly generation: number
  /** The identity provider that vouches for the person. */
  readonly issuer: string
  /** The person, as that provider names them. */
  readonly subject: string
  readonly scopes: readonly string[]
  /** The agents that passed the work on, the latest first; none when the person opened the session for this very agent. */
  readonly actors: readonly EarlierActor[]
  /** When the ticket ends, in seconds since the epoch. */
  readonly endsAtSeconds: number
}

class PrincipalProof {
  readonly #genuine = true
  readonly kind = 'principal'
  readonly id: SpiffeId
  readonly tenant: TenantName
  readonly agent: AgentName
  /** Of the certificate that was shown on this connection. */
  readonly thumbprint: Thumbprint
  readonly notAfterMs: number
  /** Undefined for an agent that came without a ticket. */
  readonly session: PrincipalSession | undefined

  constructor(
    { id, tenant, agent }: Pick<AgentIdentity, 'id' | 'tenant' | 'agent'>,
    { thumbprint, notAfterMs }: Pick<CertificateIdentity, 'thumbprint' | 'notAfterMs'>,
    session: PrincipalSession | undefined,
  ) {
    this.id = id
    this.tenant = tenant
    this.agent = agent
    this.thumbprint = thumbprint
    this.notAfterMs = notAfterMs
    this.session = session
  }

  static isGenuine(value: unknown): value is PrincipalProof {
    return typeof value === 'object' && value !== null && #genuine in value && value.#genuine
  }
}

/** The proof that an agent holds the key of a certificate that counts at this moment. Only `identify` makes one, and only `identifySession` adds a session. */
export type Principal = PrincipalProof

/** A principal as it crosses from one thread of the gateway to another. */
export type CarriedPrincipal = Pick<Principal, 'id' | 'tenant' | 'agent' | 'thumbprint' | 'notAfterMs'>

/** Makes the proof anew that `identify` made on another thread. For `threads` alone. */
export function carriedPrincipal(carried: CarriedPrincipal): Principal {
  return new PrincipalProof(carried, carried, undefined)
}

/** The same agent, within a session. For `identifySession` alone, which has verified the ticket. */
export function principalInSession(principal: Principal, session: PrincipalSession): Principal {
  if (!isPrincipal(principal)) throw new TypeError('a session belongs to a principal that identity made')
  return new PrincipalProof(principal, principal, session)
}

export const isPrincipal = PrincipalProof.isGenuine

/** A connection shows one certificate for life, so it is parsed once; whether it still counts is asked on every request. */
const parsed = new WeakMap<Connection, CertificateIdentity | Refused>()

/**
 * Names the caller, or says why the certificate does not count now.
 *
 * The handshake is not enough: a kept-alive connection outlives its certificate's expiry, its revocation, and the root it was made under. So everything but
 * the parse is asked again on every request, and a change in the roster holds for the very next one.
 *
 * Refuses `identity.certificate-invalid`, `-expired`, `-revoked`, `identity.issuer-retired`, `identity.unknown-agent` and `identity.blocked`; give strangers
 * only `outward` of these.
 */
export function identify(roster: Roster, connection: Connection, nowMs: number): Principal | Refused {
  const certificate = certificateOf(connection)
  if (certificate.kind === 'refused') return certificate
  for (const [code, objection] of checks) {
    const reason = objection(roster, certificate, connection, nowMs)
    if (reason !== undefined) return refused(code, reason)
  }
  return new PrincipalProof(certificate.identity, certificate, undefined)
}

type Objection = (roster: Roster, certificate: CertificateIdentity, connection: Connection, nowMs: number) => string | undefined

/** In this order: first whether the certificate is one of ours, then whether it still holds, then whether the agent may. */
const checks: readonly (readonly [code: IdentityCode, objection: Objection])[] = [
  [
    'identity.certificate-invalid',
    ({ trustDomain }, { identity }) => (identity.trustDomain === trustDomain ? undefined : `of trust domain ${identity.trustDomain}`),
  ],
  [
    'identity.issuer-retired',
    (roster, { identity }, { issuers }) => (roster.trustsAny(issuers) ? undefined : `${identity.id} under a root that is not trusted now`),
  ],
  ['identity.certificate-expired', (_, { notBeforeMs }, __, nowMs) => (nowMs >= notBeforeMs ? undefined : 'not valid yet')],
  ['identity.certificate-expired', (_, { identity, notAfterMs }, __, nowMs) => (nowMs <= notAfterMs ? undefined : `${identity.id} is past its end`)],
  ['identity.certificate-revoked', (roster, { identity, thumbprint }) => (roster.isRevoked(thumbprint) ? `certificate of ${identity.id}` : undefined)],
  ['identity.unknown-agent', (roster, { identity }) => (roster.standing(identity.id) === 'unknown' ? identity.id : undefined)],
  ['identity.certificate-revoked', (roster, { identity }) => (roster.standing(identity.id) === 'active' ? undefined : `agent ${identity.id} is revoked`)],
  ['identity.blocked', (roster, { identity }) => (roster.isBlocked(identity.tenant, identity.agent) ? identity.id : undefined)],
]

function certificateOf(connection: Connection): CertificateIdentity | Refused {
  const known = parsed.get(connection)
  if (known) return known
  const read = readCertificate(connection.certificate)
  parsed.set(connection, read)
  return read
}

type IdentityCode = Extract<ProblemCode, `identity.${string}`>

/** One answer for everyone whose certificate does not count: which part failed would help only those who try. A blocked agent is known and may be told. */
const outwardCodes: Readonly<Record<IdentityCode, IdentityCode>> = {
  'identity.unauthenticated': 'identity.unauthenticated',
  'identity.certificate-invalid': 'identity.unauthenticated',
  'identity.certificate-expired': 'identity.unauthenticated',
  'identity.certificate-revoked': 'identity.unauthenticated',
  'identity.issuer-retired': 'identity.unauthenticated',
  'identity.unknown-agent': 'identity.unauthenticated',
  'identity.blocked': 'identity.blocked',
  'identity.ticket-invalid': 'identity.ticket-invalid',
  'identity.session-required': 'identity.session-required',
  'identity.enrolment-refused': 'identity.enrolment-refused',
  'identity.renewal-refused': 'identity.renewal-refused',
}

/** What the caller is told of a refusal. Problems of other stages pass unchanged. */
export function outward(problem: Problem): Problem {
  return isIdentityCode(problem.code) ? { code: outwardCodes[problem.code] } : problem
}

function isIdentityCode(code: ProblemCode): code is IdentityCode {
  return code in outwardCodes
}
