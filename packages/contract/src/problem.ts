import type { JsonObject } from './json.ts'

/**
 * Every refusal that Sallyport can give, as data. The first word of a code is the folder that refuses.
 *
 * A code is stable once published. `docs/problems.md` says for each what happened and what to do; a test compares the two.
 */
export const problems = {
  'edge.malformed': { status: 400, title: 'The request is not well-formed HTTP/1.1' },
  'edge.too-large': { status: 413, title: 'A part of the request is larger than its limit' },
  'edge.timeout': { status: 408, title: 'The request did not arrive in time' },
  'edge.overloaded': { status: 503, title: 'The gateway is at its limit of work in progress' },
  'edge.draining': { status: 503, title: 'The gateway is shutting down' },
  'edge.upgrade-refused': { status: 501, title: 'Protocol upgrades and tunnels are not supported' },

  'identity.unauthenticated': { status: 401, title: 'The caller is not authenticated' },
  'identity.certificate-invalid': { status: 401, title: 'The client certificate does not carry a valid agent identity' },
  'identity.certificate-expired': { status: 401, title: 'The client certificate is outside its validity period' },
  'identity.certificate-revoked': { status: 401, title: 'The client certificate is revoked' },
  'identity.issuer-retired': { status: 401, title: 'The certificate authority that issued the certificate is retired' },
  'identity.unknown-agent': { status: 401, title: 'The agent is not registered here' },
  'identity.standing-unknown': { status: 503, title: 'The gateway does not know at the moment who is revoked' },
  'identity.blocked': { status: 403, title: 'The agent or its tenant is blocked' },
  'identity.ticket-invalid': { status: 401, title: 'The session ticket does not count here' },
  'identity.session-required': { status: 401, title: 'Agents of this tenant need a session' },
  'identity.enrolment-refused': { status: 401, title: 'The enrolment token is unknown, used or expired' },
  'identity.renewal-refused': { status: 403, title: 'The certificate cannot be renewed now' },

  'access.unknown-target': { status: 404, title: 'The path belongs to no service of this gateway' },
  'access.unknown-upstream': { status: 404, title: 'No upstream of this name is configured' },
  'access.malformed': { status: 400, title: 'The call does not fit the protocol of its upstream' },
  'access.too-large': { status: 413, title: 'The call is larger than what can be judged' },
  'access.unsupported-media': { status: 415, title: 'The media type is not accepted here' },
  'access.method-not-allowed': { status: 405, title: 'The method is not allowed on this path' },
  'access.unknown-method': { status: 404, title: 'The protocol revision has no such method' },
  'access.session-invalid': { status: 404, title: 'The protocol session is unknown or belongs to another agent' },
  'access.configuration-changed': { status: 503, title: 'The configuration changed while the call arrived' },
  'access.delegation-refused': { status: 403, title: 'The session cannot be passed on to this agent' },
  'access.scope-unavailable': { status: 400, title: 'The session has none of the scopes that were asked for' },
  'access.unsupported-version': { status: 400, title: 'The protocol revision is not supported' },

  'session.none': { status: 404, title: 'No session is open for this agent' },
  'session.invalid': { status: 401, title: 'The session handle does not count here' },
  'session.stale-handle': { status: 409, title: 'The session handle was replaced, and its successor is in use' },
  'session.login-required': { status: 401, title: 'A person must log in again for this agent' },
  'session.provider-unavailable': { status: 503, title: 'The identity provider does not answer properly' },
  'session.unavailable': { status: 503, title: 'Sessions cannot be looked up or recorded now' },

  'policy.no-rule': { status: 403, title: 'No rule permits this call' },
  'policy.denied': { status: 403, title: 'A rule denies this call' },
  'policy.quota-exhausted': { status: 429, title: 'A quota is exhausted' },
  'policy.tool-changed': { status: 403, title: 'The definition of the tool is new or has changed, and nobody has accepted it yet' },
  'policy.tool-unlisted': { status: 403, title: 'The upstream does not list this tool' },
  'policy.approval-required': { status: 403, title: 'A person must approve this call' },
  'policy.result-denied': { status: 403, title: 'A rule withholds the answer to this call' },
  'policy.approval-denied': { status: 403, title: 'A person denied this call' },

  'audit.unavailable': { status: 503, title: 'The decision cannot be recorded, so nothing is forwarded' },
  'audit.payload-unavailable': { status: 503, title: 'The arguments cannot be kept as they must be, so nothing is forwarded' },
  'audit.payloads-full': { status: 507, title: 'No more arguments can be kept, so nothing is forwarded' },
  'audit.run-unknown': { status: 404, title: 'No run of this name is open for this agent' },
  'audit.records-conflict': { status: 409, title: 'The numbers of these records are taken by others' },

  'forward.address-refused': { status: 403, title: 'The address of the upstream is not allowed' },
  'forward.upstream-failed': { status: 502, title: 'The upstream did not answer properly' },
  'forward.upstream-timeout': { status: 504, title: 'The upstream did not answer in time' },
  'forward.upstream-busy': { status: 503, title: 'Too many calls wait for the upstream' },
  'forward.answer-too-large': { status: 502, title: 'The answer of the upstream is larger than its limit' },
  'forward.credential-missing': { status: 502, title: 'The credential for the upstream is not set' },
  'forward.peer-refused': { status: 502, title: 'The agent that is meant has no certificate that counts, or another one answered' },
  'forward.request-from-server-refused': { status: 403, title: 'Requests from the upstream to the agent are not allowed' },

  'login.link-invalid': { status: 404, title: 'The login link is unknown, used or expired' },
  'login.other-browser': { status: 403, title: 'The login was begun in another browser' },
  'login.refused': { status: 403, title: 'The login was not completed' },
  'login.client-refused': { status: 400, title: 'The program that asks for a login is not one that can be trusted with its answer' },
  'login.code-invalid': { status: 400, title: 'The authorization code does not count here' },
  'login.provider-failed': { status: 502, title: 'The identity provider did not answer the login properly' },

  'control.configuration-invalid': { status: 422, title: 'The configuration is not valid' },
  'control.not-found': { status: 404, title: 'There is no such thing' },
  'control.conflict': { status: 409, title: 'The state does not allow this' },
  'control.invalid-input': { status: 400, title: 'The input is not valid' },

  'connect.host-refused': { status: 421, title: 'The Host is not an address of this bridge' },
  'connect.origin-refused': { status: 403, title: 'Pages of this origin may not use the bridge' },
  'connect.secret-required': { status: 401, title: 'The bridge needs its client secret' },
  'connect.proxy-secret-required': { status: 407, title: 'The bridge needs its client secret as proxy password' },
  'connect.unknown-host': { status: 403, title: 'No upstream answers to this host name' },
  'connect.gateway-unreachable': { status: 502, title: 'The gateway cannot be reached' },
  'connect.gateway-timeout': { status: 504, title: 'The gateway did not answer in time' },
  'connect.not-recorded': { status: 503, title: 'What is asked must be recorded, and cannot be recorded now' },

  'cli.usage': { status: 400, title: 'The command line is not valid' },
  'cli.setup': { status: 422, title: 'What the command works on is not there or cannot be used' },
  'cli.failed': { status: 500, title: 'The command failed' },

  'gateway.fault': { status: 500, title: 'The gateway failed' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof problems

/** What a refusal carries outward. Nothing here may come from an upstream's credential, another tenant or the host's file system. */
export interface Problem {
  readonly code: ProblemCode
  /** One sentence for the caller, with what to do; absent where even that would tell a stranger something. */
  readonly detail?: string
  /** Whole seconds after which a retry can succeed. */
  readonly retryAfterSeconds?: number
  /** The approval that a held call waits for. */
  readonly approval?: { readonly id: string; readonly expiresAt: string }
  /** What is wrong with a configuration, and where, as `sallyport validate --json` lists it; for the operator alone. */
  readonly faults?: readonly JsonObject[]
}

/** An expected negative answer of a stage. `reason` is for the log and the operator, never for the caller. */
export interface Refused {
  readonly kind: 'refused'
  readonly problem: Problem
  readonly reason: string
}

/** Makes a refusal; `reason` defaults to the outward detail or title. */
export function refused(code: ProblemCode, reason?: string, more: Omit<Problem, 'code'> = {}): Refused {
  return { kind: 'refused', problem: { code, ...more }, reason: reason ?? more.detail ?? problems[code].title }
}

/** The response header, with the code as its value, that marks a refusal of the gateway: no upstream's answer has it, whatever its body says. */
export const problemHeader = 'sallyport-problem'

/** How the `type` of every problem document begins. */
export const problemTypeBase = 'https://sallyport.dev/problems/'

export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ProblemCode
  readonly instance: string
  readonly detail?: string
  readonly retryAfterSeconds?: number
  readonly approval?: { readonly id: string; readonly expiresAt: string }
  readonly faults?: readonly JsonObject[]
}

/**
 * The outward form of a refusal, to be sent as `application/problem+json`.
 *
 * `instance` is the request's opaque id, by which `sallyport explain` finds the entry.
 *
 * @see RFC 9457 section 3
 */
export function problemDocument(problem: Problem, instance: string): ProblemDocument {
  const { code, ...more } = problem
  return {
    type: `${problemTypeBase}${code}`,
    title: problems[code].title,
    status: problems[code].status,
    code,
    instance: `urn:uuid:${instance}`,
    ...more,
  }
}
