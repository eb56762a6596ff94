import { createHmac } from 'node:crypto'
import { agentIdentity, formatEnrolmentToken, refused, type AdminEvent, type Refused, type SpiffeId, type Thumbprint } from '@sallyport/contract'
import type { ClusterChange } from '../cluster/cluster-change.ts'
import type { InOrder } from '../in-order.ts'
import type { AgentKey, AgentStore, Block, IssuedCertificate, RegisteredAgent } from './agent-store.ts'
import { blockKey, type LiveRoster } from './live-roster.ts'
import type { Random } from './sign-certificate.ts'

/** Writes to the log, durably when it resolves. @throws Fault */
export type Note = (act: Omit<AdminEvent, 'v' | 'time'>) => Promise<unknown>

export interface RegisterPorts {
  readonly store: AgentStore
  readonly roster: LiveRoster
  readonly note: Note
  readonly inOrder: InOrder
  /** The root that the gateway's own certificate chains to. */
  readonly pinnedRoot: () => Thumbprint
  readonly tokenKey: Uint8Array
  readonly tokenLifetimeMs: number
  readonly now: () => number
  readonly random: Random
}

export interface IssuedToken {
  readonly kind: 'token'
  /** Shown once; only its digest is kept. */
  readonly token: string
  readonly expiresAtMs: number
}

export interface AgentDescription extends RegisteredAgent {
  readonly kind: 'agent'
  readonly isBlocked: boolean
  readonly certificates: readonly IssuedCertificate[]
}

/**
 * What an operator does with agents. `by` names the person.
 *
 * What widens trust is written to the log first and then done. What narrows it takes effect in memory and on live connections the moment it is asked for, whatever
 * the acts before it wait for, and then has its turn with the disk: no full or hung disk may keep a stolen key alive. A Fault of a narrowing act therefore means:
 * in force on this node, but perhaps not past a restart; repeat it.
 */
export class AgentRegister {
  readonly #ports: RegisterPorts
  /** How many narrowing acts, by what they narrow, are in force and still wait for their turn: what widens trust in between must not undo them. */
  readonly #narrowing = new Map<string, number>()

  constructor(ports: RegisterPorts) {
    this.#ports = ports
  }

  /** Refuses `control.conflict` for an agent that is there already. @throws Fault */
  register(agent: AgentKey, by: string): Promise<Refused | { readonly kind: 'registered' }> {
    return this.#change(async ({ store, roster, now }) => {
      if (roster.standing(this.#id(agent)) !== 'unknown') return conflict(agent, 'is registered already')
      await this.#note('agent.registered', agent, by)
      if ((await store.registerAgent(agent, now())) === 'exists') return conflict(agent, 'is registered already')
      this.#activate(agent)
      return { kind: 'registered' }
    })
  }

  /** Makes a one-time token, withdrawing an unused older one. Refuses `control.not-found`, and `control.conflict` for a revoked agent. @throws Fault */
  createToken(agent: AgentKey, by: string): Promise<Refused | IssuedToken> {
    return this.#change(async ({ store, roster, pinnedRoot, tokenKey, tokenLifetimeMs, now, random }) => {
      const standing = roster.standing(this.#id(agent))
      if (standing === 'unknown') return notFound(agent)
      if (standing === 'revoked') return conflict(agent, 'is revoked: reinstate it first')
      const secret = Buffer.from(random(32)).toString('base64url')
      const expiresAtMs = now() + tokenLifetimeMs
      await this.#note('agent.token-created', agent, by)
      if ((await store.keepToken(agent, digestOf(tokenKey, secret), expiresAtMs)) !== 'kept') return conflict(agent, 'was changed meanwhile')
      return { kind: 'token', token: formatEnrolmentToken({ secret, root: pinnedRoot() }), expiresAtMs }
    })
  }

  /** Refuses the agent's certificates from the next request on and ends its connections. Idempotent. Refuses `control.not-found`. @throws Fault */
  revoke(agent: AgentKey, by: string): Promise<Refused | { readonly kind: 'revoked' }> {
    const id = this.#id(agent)
    const takeEffect = ({ roster }: RegisterPorts): void => {
      if (roster.standing(id) !== 'unknown') roster.setStanding(agent, 'revoked')
    }
    return this.#narrow(id, takeEffect, async ({ store, roster, now }) => {
      if (roster.standing(id) === 'unknown') return notFound(agent)
      const revoked = await store.revokeAgent(agent, now())
      if (revoked === 'unknown-agent') return notFound(agent)
      roster.revoke(revoked, now())
      await this.#note('agent.revoked', agent, by)
      return { kind: 'revoked' }
    })
  }

  /** Lets the agent enrol anew; its old certificates stay revoked. Refuses `control.not-found`, `control.conflict`. @throws Fault */
  reinstate(agent: AgentKey, by: string): Promise<Refused | { readonly kind: 'reinstated' }> {
    return this.#change(async ({ store, roster, now }) => {
      if (roster.standing(this.#id(agent)) === 'active') return conflict(agent, 'is not revoked')
      await this.#note('agent.reinstated', agent, by)
      // The revocation may have reached memory alone: without this, its certificates would come back to life.
      const revoked = await store.revokeAgent(agent, now())
      if (revoked === 'unknown-agent') return notFound(agent)
      roster.revoke(revoked, now())
      if ((await store.reinstateAgent(agent)) !== 'reinstated') return notFound(agent)
      this.#activate(agent)
      return { kind: 'reinstated' }
    })
  }

  /** As `revoke`, for one certificate that this authority issued. Refuses `control.not-found`. @throws Fault */
  async revokeCertificate(agent: AgentKey, thumbprint: Thumbprint, by: string): Promise<Refused | { readonly kind: 'revoked' }> {
    const issued = (await this.#ports.store.certificates(agent)).find((certificate) => certificate.thumbprint === thumbprint)
    if (!issued) return unknownCertificate(agent, thumbprint)
    const takeEffect = ({ roster, now }: RegisterPorts): void => roster.revoke([issued], now())
    return this.#narrow(thumbprint, takeEffect, async ({ store, now }) => {
      if ((await store.revokeCertificate(agent, thumbprint, now())) === 'unknown-certificate') return unknownCertificate(agent, thumbprint)
      await this.#note('certificate.revoked', agent, by, { certificate: thumbprint })
      return { kind: 'revoked' }
    })
  }

  /** The kill switch: refuses everyone in its reach from the next request on and ends their connections. Idempotent. @throws Fault */
  block(block: Block, by: string): Promise<void> {
    return this.#narrow(
      `block ${blockKey(block)}`,
      ({ roster }) => roster.block(block),
      async ({ store, note, now }) => {
        await store.setBlock(block, now())
        await note({ type: 'admin', act: 'block.set', person: by, subject: { ...block } })
      },
    )
  }

  /** Refuses `control.not-found` for what is not blocked. @throws Fault */
  lift(block: Block, by: string): Promise<Refused | { readonly kind: 'lifted' }> {
    return this.#change(async ({ store, roster, note }) => {
      if (!roster.blocks.some((set) => blockKey(set) === blockKey(block))) return notBlocked(block)
      await note({ type: 'admin', act: 'block.lifted', person: by, subject: { ...block } })
      await store.liftBlock(block)
      if (!this.#narrowing.has(`block ${blockKey(block)}`)) roster.lift(block)
      return { kind: 'lifted' }
    })
  }

  /**
   * Takes over what other gateways have changed, in the order of the shared store. Reads in its turn, so that an act of this gateway is among what is read, or comes
   * after all of it; and what is being narrowed here stays narrow.
   *
   * @throws Fault of `read`
   */
  follow(read: () => Promise<readonly ClusterChange[]>): Promise<void> {
    return this.#change(async () => {
      for (const change of await read()) this.#takeOver(change)
    })
  }

  /** The store has just enrolled this agent, which another gateway may have registered a moment ago. */
  met(agent: AgentKey): void {
    if (this.#ports.roster.standing(this.#id(agent)) === 'unknown') this.#activate(agent)
  }

  async list(): Promise<readonly (RegisteredAgent & { readonly isBlocked: boolean })[]> {
    const { store, roster } = this.#ports
    return (await store.agents()).map((agent) => ({ ...agent, isBlocked: roster.isBlocked(agent.tenant, agent.agent) }))
  }

  /** The agent, whether something blocks it, and its certificates with their lineage, newest first. Refuses `control.not-found`. @throws Fault */
  async describe(agent: AgentKey): Promise<Refused | AgentDescription> {
    const { store, roster } = this.#ports
    const registered = (await store.agents()).find((known) => known.tenant === agent.tenant && known.agent === agent.agent)
    if (!registered) return notFound(agent)
    const certificates = await store.certificates(agent)
    return { kind: 'agent', ...registered, isBlocked: roster.isBlocked(agent.tenant, agent.agent), certificates }
  }

  get blocks(): readonly Block[] {
    return this.#ports.roster.blocks
  }

  #change<Result>(work: (ports: RegisterPorts) => Promise<Result>): Promise<Result> {
    return this.#ports.inOrder.run(() => work(this.#ports))
  }

  /** `keep` runs in its turn, over what `takeEffect` has done at once. */
  #narrow<Result>(what: string, takeEffect: (ports: RegisterPorts) => void, keep: (ports: RegisterPorts) => Promise<Result>): Promise<Result> {
    this.#narrowing.set(what, (this.#narrowing.get(what) ?? 0) + 1)
    takeEffect(this.#ports)
    return this.#change(async (ports) => {
      takeEffect(ports) // what was under way when it was asked for may have let someone in
      try {
        return await keep(ports)
      } finally {
        const others = (this.#narrowing.get(what) ?? 1) - 1
        if (others === 0) this.#narrowing.delete(what)
        else this.#narrowing.set(what, others)
      }
    })
  }

  #takeOver(change: ClusterChange): void {
    const { roster, now } = this.#ports
    if (change.kind === 'standing' && change.standing === 'active') this.#activate(change.agent)
    else if (change.kind === 'standing') roster.setStanding(change.agent, 'revoked')
    else if (change.kind === 'revoked') roster.revoke(change.certificates, now())
    else if (change.kind === 'blocked') roster.block(change.block)
    else if (change.kind === 'lifted' && !this.#narrowing.has(`block ${blockKey(change.block)}`)) roster.lift(change.block)
  }

  #activate(agent: AgentKey): void {
    this.#ports.roster.setStanding(agent, this.#narrowing.has(this.#id(agent)) ? 'revoked' : 'active')
  }

  #id({ tenant, agent }: AgentKey): SpiffeId {
    return agentIdentity(this.#ports.roster.trustDomain, tenant, agent).id
  }

  async #note(act: string, { tenant, agent }: AgentKey, by: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#ports.note({ type: 'admin', act, person: by, subject: { tenant, agent, ...more } })
  }
}

/** By which a token's secret is found: whoever reads the database cannot enrol, nor whoever writes to it without the key. */
export function digestOf(tokenKey: Uint8Array, secret: string): string {
  return createHmac('sha256', tokenKey).update(secret).digest('base64url')
}

function nameOf({ tenant, agent }: AgentKey): string {
  return `agent ${tenant}/${agent}`
}

function notFound(agent: AgentKey): Refused {
  const detail = `There is no ${nameOf(agent)}.`
  return refused('control.not-found', detail, { detail })
}

function notBlocked(block: Block): Refused {
  const name = block.scope === 'all' ? 'Everything together' : block.scope === 'tenant' ? block.tenant : `${block.tenant}/${block.agent}`
  const detail = `${name} is not blocked: "sallyport status" shows what is.`
  return refused('control.not-found', detail, { detail })
}

function unknownCertificate(agent: AgentKey, thumbprint: Thumbprint): Refused {
  const detail = `The ${nameOf(agent)} has no certificate ${thumbprint}.`
  return refused('control.not-found', detail, { detail })
}

function conflict(agent: AgentKey, state: string): Refused {
  const detail = `The ${nameOf(agent)} ${state}.`
  return refused('control.conflict', detail, { detail })
}
