import type { webcrypto } from 'node:crypto'
import {
  agentIdentity,
  certificateLifetimeMsRange,
  parseEnrolmentToken,
  refused,
  unreachable,
  type CertificateAnswer,
  type SpiffeId,
  type Refused,
  type Thumbprint,
  type TrustDomain,
} from '@sallyport/contract'
import { isPrincipal, type Principal } from '../../identity/identify.ts'
import { AgentRegister, digestOf, type Note } from './agent-register.ts'
import type { AgentKey, AgentStore, NewCertificate } from './agent-store.ts'
import { AttemptLimit } from './attempt-limit.ts'
import { InOrder } from '../in-order.ts'
import { LiveRoster } from './live-roster.ts'
import { readCsr } from './read-csr.ts'
import { openRoots, rootsMax, startRoots, type Root, type Roots } from './roots.ts'
import { signAgent, signCaller, signServer, type Random, type SignedCertificate } from './sign-certificate.ts'

export interface AuthorityOptions {
  /** The `ca` folder. */
  readonly directory: string
  readonly store: AgentStore
  /** DNS names and addresses in the gateway's own certificate. */
  readonly names: readonly string[]
  /** 1 h to 24 h. */
  readonly certificateLifetimeMs: number
  /** With it alone an enrolment token can be made that the store knows. */
  readonly tokenKey: Uint8Array
  readonly tokenLifetimeMs: number
  /** Host and port where agents connect, told to those who enrol. */
  readonly gatewayAddress?: string
  readonly note: Note
  readonly now: () => number
  readonly random: Random
}

/** What the listeners and the calls to agents need. The key is nowhere on disk: a new one comes with each certificate. */
export interface ServerCredentials {
  /** The leaf and its root. */
  readonly certificatePem: string
  readonly keyPem: string
  /** Whom the listener for agents trusts. */
  readonly rootsPem: readonly string[]
  /** What it shows itself where it calls: to agents that other agents call. */
  readonly caller: { readonly certificatePem: string; readonly keyPem: string }
  readonly renewAtMs: number
}

/** An agent renews at two thirds of a lifetime and so has two or three; past this, someone else is renewing too. */
export const liveCertificatesMax = 8

const serverLifetimeMs = 24 * 3_600_000

/**
 * The certificate authority of one trust domain: enrolment, renewal, the gateway's own certificate, and the life of the roots.
 *
 * Certificates are recorded and noted in the log before anyone gets them.
 */
export class Authority {
  readonly agents: AgentRegister
  readonly roster: LiveRoster
  readonly #options: AuthorityOptions
  readonly #roots: Roots
  readonly #attempts = new AttemptLimit()
  readonly #inOrder = new InOrder()
  /** One renewal of an agent at a time: each is a signature and a write. */
  readonly #renewing = new Set<SpiffeId>()
  /** A recovery was asked for and has not replaced the roots yet. */
  #isRecovering = false
  #server: ServerCredentials
  #trustChanged: (credentials: ServerCredentials) => void = () => undefined

  constructor(options: AuthorityOptions, roots: Roots, roster: LiveRoster, server: ServerCredentials) {
    this.#options = options
    this.#roots = roots
    this.#server = server
    this.roster = roster
    this.agents = new AgentRegister({
      ...options,
      roster,
      inOrder: this.#inOrder,
      pinnedRoot: () => this.#roots.oldest.fingerprint,
    })
  }

  get trustDomain(): TrustDomain {
    return this.roster.trustDomain
  }

  get serverCredentials(): ServerCredentials {
    return this.#server
  }

  /** Oldest first; the last one signs agents. */
  get roots(): readonly { readonly fingerprint: Thumbprint; readonly notAfterMs: number }[] {
    return this.#roots.trusted.map(({ fingerprint, notAfterMs }) => ({ fingerprint, notAfterMs }))
  }

  /** Who gives the listeners their new certificate and roots. */
  onTrustChange(changed: (credentials: ServerCredentials) => void): void {
    this.#trustChanged = changed
  }

  /**
   * Exchanges a one-time token for a certificate over the request's key, in the name that the token was made for.
   *
   * The token is used up together with the recording of the certificate, so a bad request does not burn it and of two that race one wins. A wrong token writes
   * nothing. Refuses `identity.enrolment-refused` for every cause, and `edge.overloaded` to an address that keeps failing.
   *
   * @throws Fault; the token may then be used up without a certificate, and the operator makes a new one.
   */
  async enrol(tokenText: string, csrPem: string, remoteAddress: string): Promise<CertificateAnswer | Refused> {
    const waitSeconds = this.#attempts.waitSeconds(remoteAddress, this.#options.now())
    if (waitSeconds > 0) return refused('edge.overloaded', 'too many failed enrolments from this address', { retryAfterSeconds: waitSeconds })
    const answer = await this.#enrol(tokenText, csrPem)
    if ('kind' in answer) this.#attempts.fail(remoteAddress, this.#options.now())
    return answer
  }

  /**
   * Issues the next certificate of the same agent, on the proof of the one it showed, and records which came from which.
   *
   * Refuses `edge.overloaded` while another one of the agent is under way, and `identity.renewal-refused` when the shown one does not count any more, was not issued here, too many still count, or the request is unusable.
   *
   * @throws Fault
   */
  async renew(principal: Principal, csrPem: string): Promise<CertificateAnswer | Refused> {
    if (!isPrincipal(principal)) throw new TypeError('a renewal needs a principal that identity made')
    const csr = await readCsr(csrPem)
    if (csr.kind === 'unusable') return refused('identity.renewal-refused', csr.reason, { detail: 'Send a PKCS #10 request in PEM over a P-256 key.' })
    if (this.#renewing.has(principal.id)) return refused('edge.overloaded', `${principal.id} is renewing already`, { retryAfterSeconds: 1 })
    this.#renewing.add(principal.id)
    try {
      return await this.#renew(principal, csr.publicKey)
    } finally {
      this.#renewing.delete(principal.id)
    }
  }

  async #renew(principal: Principal, publicKey: webcrypto.CryptoKey): Promise<CertificateAnswer | Refused> {
    const issued = await this.#issue(principal, publicKey)
    const outcome = await this.#options.store.renew(principal.thumbprint, issued.record, liveCertificatesMax)
    switch (outcome) {
      case 'refused':
        return refused('identity.renewal-refused', `certificate ${principal.thumbprint} of ${principal.id} does not count any more or was not issued here`)
      case 'too-many':
        return refused('identity.renewal-refused', `${principal.id} has ${liveCertificatesMax} certificates`, {
          detail: 'Too many certificates of this agent still count.',
        })
      case 'recorded':
        await this.#noteIssued('certificate.renewed', issued.record, { previous: principal.thumbprint })
        return this.#answer(issued.signed)
      default:
        return unreachable(outcome)
    }
  }

  /** Replaces the gateway's own certificate and key; due at `serverCredentials.renewAtMs`. */
  renewServerCertificate(): Promise<void> {
    return this.#inOrder.run(() => this.#renewServer())
  }

  /**
   * Trusts a new root beside the old ones. It signs agents from now on; the gateway's own certificate stays under the oldest, which every agent knows. Agents
   * learn the new root when they renew: retire the old one after a whole certificate lifetime.
   *
   * Refuses `control.conflict` while too many roots are trusted. @throws Fault
   */
  rotateRoot(by: string): Promise<Refused | { readonly kind: 'rotated'; readonly fingerprint: Thumbprint }> {
    return this.#inOrder.run(async () => {
      if (this.#roots.trusted.length >= rootsMax) return conflict(`${rootsMax} roots are trusted: retire one first.`)
      await this.#options.note({ type: 'admin', act: 'root.rotated', person: by, subject: { signedUntilNow: this.#roots.newest.fingerprint } })
      const { fingerprint } = await this.#roots.add(this.#options.now())
      await this.#trustRoots()
      return { kind: 'rotated', fingerprint }
    })
  }

  /**
   * Ends the trust in a root and the connections under it, and deletes its key.
   *
   * Refuses `control.not-found`, and `control.conflict` for the root that signs, and for one under which certificates still count unless `evenIfNeeded`.
   *
   * @throws Fault
   */
  retireRoot(fingerprint: Thumbprint, by: string, evenIfNeeded = false): Promise<Refused | { readonly kind: 'retired' }> {
    return this.#inOrder.run(async () => {
      const { store, note, now } = this.#options
      if (!this.#roots.trusted.some((root) => root.fingerprint === fingerprint)) return refused('control.not-found', `no root ${fingerprint} is trusted`)
      if (this.#roots.newest.fingerprint === fingerprint) return conflict('This root signs the certificates of agents: rotate first.')
      const live = await store.countLive(fingerprint, now())
      if (live > 0 && !evenIfNeeded) return conflict(`${live} certificates under this root still count: wait until their agents have renewed.`)
      this.roster.trustOnly(this.#fingerprints().filter((trusted) => trusted !== fingerprint))
      await this.#roots.retire(fingerprint)
      await this.#trustRoots()
      await note({ type: 'admin', act: 'root.retired', person: by, subject: { root: fingerprint, live } })
      return { kind: 'retired' }
    })
  }

  /**
   * After the loss or theft of a key: nothing issued before counts any more, every agent needs a new token. In force the moment it is asked for.
   *
   * @throws Fault; nobody is trusted until it is repeated and resolves
   */
  recover(by: string): Promise<{ readonly kind: 'recovered'; readonly fingerprint: Thumbprint }> {
    this.#isRecovering = true
    this.roster.trustOnly([])
    return this.#inOrder.run(async () => {
      const { store, note, now } = this.#options
      this.roster.trustOnly([])
      // Before the new root can sign: a renewal under way would otherwise carry an old certificate's word over to it.
      await store.distrustAll(now())
      const { fingerprint } = await this.#roots.startOver(now())
      this.#isRecovering = false
      await this.#trustRoots()
      await note({ type: 'admin', act: 'authority.recovered', person: by, subject: { root: fingerprint } })
      return { kind: 'recovered', fingerprint }
    })
  }

  async #enrol(tokenText: string, csrPem: string): Promise<CertificateAnswer | Refused> {
    const { store, tokenKey, now } = this.#options
    const token = parseEnrolmentToken(tokenText)
    if (!token) return refused('identity.enrolment-refused', 'malformed token')
    const digest = digestOf(tokenKey, token.secret)
    const agent = await store.findToken(digest, now())
    if (!agent) return refused('identity.enrolment-refused', 'unknown, used or expired token')
    const csr = await readCsr(csrPem)
    if (csr.kind === 'unusable') return refused('identity.enrolment-refused', csr.reason)
    const issued = await this.#issue(agent, csr.publicKey)
    if ((await store.enrol(digest, issued.record)) === 'refused')
      return refused('identity.enrolment-refused', 'the token was used, or its agent revoked, meanwhile')
    this.agents.met(agent)
    await this.#noteIssued('agent.enrolled', issued.record)
    return { ...this.#answer(issued.signed), ...(this.#options.gatewayAddress !== undefined && { gateway: this.#options.gatewayAddress }) }
  }

  async #issue({ tenant, agent }: AgentKey, publicKey: webcrypto.CryptoKey): Promise<{ readonly signed: SignedCertificate; readonly record: NewCertificate }> {
    const { certificateLifetimeMs, now, random } = this.#options
    const issuedAtMs = now()
    const root = this.#roots.newest
    const signed = await signAgent(root, agentIdentity(this.trustDomain, tenant, agent).id, publicKey, certificateLifetimeMs, issuedAtMs, random)
    return { signed, record: { tenant, agent, thumbprint: signed.thumbprint, issuer: root.fingerprint, issuedAtMs, notAfterMs: signed.notAfterMs } }
  }

  async #noteIssued(act: string, { tenant, agent, thumbprint, issuer }: NewCertificate, more: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#options.note({ type: 'admin', act, subject: { tenant, agent, certificate: thumbprint, root: issuer, ...more } })
  }

  #answer({ pem, notAfterMs }: SignedCertificate): CertificateAnswer {
    return { certificatePem: pem, bundlePem: bundleOf(this.#roots.trusted), notAfter: new Date(notAfterMs).toISOString() }
  }

  async #trustRoots(): Promise<void> {
    if (!this.#isRecovering) this.roster.trustOnly(this.#fingerprints())
    await this.#renewServer()
  }

  #fingerprints(): Thumbprint[] {
    return this.#roots.trusted.map(({ fingerprint }) => fingerprint)
  }

  async #renewServer(): Promise<void> {
    this.#server = await makeServerCredentials(this.#options, this.#roots)
    this.#trustChanged(this.#server)
  }
}

/** Opens the authority that `makeRoots` has made. @throws Fault for a key that others can read, a damaged folder, or a store that does not answer */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const { min, max } = certificateLifetimeMsRange
  if (!(options.certificateLifetimeMs >= min && options.certificateLifetimeMs <= max)) throw new RangeError('agents have certificates of 1 to 24 hours')
  const roots = await openRoots(options.directory, options.random)
  const trusted = roots.trusted.map(({ fingerprint }) => fingerprint)
  const roster = new LiveRoster(roots.trustDomain, trusted, await options.store.rosterState(options.now()))
  return new Authority(options, roots, roster, await makeServerCredentials(options, roots))
}

/**
 * Starts over while the gateway is down, without reading what the folder holds: for keys that are lost or damaged. Nothing issued before counts any more; every
 * agent needs a new token.
 *
 * @throws Fault; repeat it until it resolves
 */
export async function recoverAuthority(
  options: Pick<AuthorityOptions, 'directory' | 'store' | 'note' | 'now' | 'random'>,
  trustDomain: TrustDomain,
  by: string,
): Promise<void> {
  await options.store.distrustAll(options.now())
  const { newest } = await startRoots(options.directory, trustDomain, options.now(), options.random)
  await options.note({ type: 'admin', act: 'authority.recovered', person: by, subject: { root: newest.fingerprint } })
}

async function makeServerCredentials({ names, now, random }: AuthorityOptions, roots: Roots): Promise<ServerCredentials> {
  const nowMs = now()
  // Under the oldest root both, which every agent knows.
  const { pem, keyPem, notAfterMs } = await signServer(roots.oldest, names, serverLifetimeMs, nowMs, random)
  const caller = await signCaller(roots.oldest, roots.trustDomain, serverLifetimeMs, nowMs, random)
  return {
    certificatePem: pem + roots.oldest.pem,
    keyPem,
    rootsPem: roots.trusted.map(({ pem: root }) => root),
    caller: { certificatePem: caller.pem + roots.oldest.pem, keyPem: caller.keyPem },
    renewAtMs: nowMs + Math.floor(((notAfterMs - nowMs) * 2) / 3),
  }
}

function bundleOf(roots: readonly Root[]): string {
  return roots.map(({ pem }) => pem).join('')
}

function conflict(detail: string): Refused {
  return refused('control.conflict', detail, { detail })
}
