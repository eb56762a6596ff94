import { createHash } from 'node:crypto'
import { sessionEvent, refused, type Refused, type Thumbprint } from '@sallyport/contract'
import type { IssuedCertificate } from '../../packages/gateway/src/control/authority/agent-store.ts'
import { recordedLineage } from '../../packages/gateway/src/control/sessions/lineage.ts'
import { SessionLog, type SessionAct } from '../../packages/gateway/src/control/sessions/session-log.ts'
import type { SessionTerms } from '../../packages/gateway/src/control/sessions/session-record.ts'
import { SessionRegister } from '../../packages/gateway/src/control/sessions/session-register.ts'
import type { SessionStore } from '../../packages/gateway/src/control/sessions/session-store.ts'
import { Sessions } from '../../packages/gateway/src/control/sessions/sessions.ts'
import type { AskProof, Proof, SessionGrant, SessionId } from '../../packages/gateway/src/control/sessions/session.ts'
import { recordSeal } from '../../packages/gateway/src/drivers/sqlite/record-seal.ts'
import { SqliteSessionStore } from '../../packages/gateway/src/drivers/sqlite/session-store.ts'
import { Invariants } from './invariants.ts'
import { KeptDatabase } from './kept-database.ts'
import { grantedScopes, ModelProvider } from './model-provider.ts'
import { owner, proofOf, thumbprint } from './names.ts'
import { as, first, nothingOdd, Scheduler, type Budget, type Choose, type Machine } from './scheduler.ts'

export const terms: SessionTerms = {
  lifetimeMs: 7 * 24 * 3_600_000,
  claimMs: 3_600_000,
  replayMs: 600_000,
  flightMs: 20_000,
  quarantineMs: 30_000,
  ticketMs: 300_000,
}

/** Of the handle that every run begins with. */
export const startGeneration = 3
/** How long a caller of the simulation waits. */
export const patienceMs = 10_000

/** One node of the gateway, with the real code of sessions over the real driver. */
export interface Node {
  readonly machine: Machine
  readonly sessions: Sessions
  readonly register: SessionRegister
  readonly store: SessionStore
  /** How far its own clock is off. */
  clockShift: number
}

/** Who presents a handle, over which certificate. Both can change while it waits. */
export interface Caller {
  readonly name: string
  readonly isThief: boolean
  proof: Proof | Refused
}

export type Answered = SessionGrant | Refused | { readonly kind: 'cut' }

export interface Logged extends SessionAct {
  readonly at: number
}

const sealingKey = new Uint8Array(32).fill(7)
/** Made once: sessions of every run begin as these rows. */
let template: { readonly dump: ReturnType<KeptDatabase['dump']>; readonly start: Start } | undefined
const database = new KeptDatabase()

interface Start {
  readonly session: SessionId
  /** Replaced twice, within the window. */
  readonly grandparent: string
  /** Replaced by `handle`, in the window. */
  readonly previous: string
  readonly handle: string
  readonly token: string
}

/** Several nodes on one store, a provider, an owner and thieves, and whoever judges from outside what they get. */
export class World {
  readonly scheduler: Scheduler
  readonly provider: ModelProvider
  readonly log: Logged[] = []
  readonly certificates: IssuedCertificate[] = []
  readonly ended = new Set<SessionId>()
  readonly counted: string[] = []
  readonly reports: string[] = []
  readonly nodes: Node[] = []
  readonly invariants: Invariants
  readonly database = database
  #random = 0
  /** What every run begins with; `openWorld` sets it. */
  start: Start = { session: '', grandparent: '', previous: '', handle: '', token: '' }

  constructor(choose: Choose, budget: Budget) {
    this.scheduler = new Scheduler(choose, budget)
    this.provider = new ModelProvider(this.scheduler)
    this.invariants = new Invariants(this)
    this.issue('owner-key', undefined)
  }

  /** Records a certificate of the bot; a renewal names the one before. */
  issue(key: string, previous: string | undefined, agent = 'bot'): void {
    const certificate = { thumbprint: thumbprint(key), issuer: thumbprint('root'), issuedAtMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER, revokedAtMs: undefined }
    this.certificates.push({ ...owner(agent), ...certificate, previous: previous === undefined ? undefined : thumbprint(previous) })
  }

  addNode(name = `node ${this.nodes.length + 1}`, more: Partial<SessionTerms> = {}): Node {
    const { scheduler } = this
    const machine = scheduler.machine(name)
    const used = { ...terms, ...more }
    const store = new SqliteSessionStore(
      database.seenFrom(scheduler, machine, () => this.invariants.afterWrite()),
      used,
      () => scheduler.time + scheduler.storeShift,
    )
    const log = new SessionLog(
      (entry) => scheduler.call(`log ${entry.act}`, machine, () => this.#append(entry), { touches: 'own', canFail: true }),
      this.#report,
    )
    const seal = recordSeal(sealingKey, (length) => this.#bytes(length))
    const ports = { store, log, seal, ended: (session: SessionId) => void this.ended.add(session), report: this.#report }
    const lineage = recordedLineage({
      certificates: ({ agent }) => scheduler.call('lineage', machine, () => this.certificates.filter((issued) => issued.agent === agent), { touches: 'own' }),
    })
    const sessions = new Sessions(
      {
        ...ports,
        lineage,
        provider: this.provider.seenFrom(machine),
        mint: (facts) =>
          scheduler.call('mint', machine, () => `ticket ${facts.session} ${facts.generation} ${facts.thumbprint} ${facts.issuedAt}-${facts.expiresAt}`, {
            touches: 'own',
            canFail: true,
          }),
        now: () => scheduler.time + node.clockShift,
        random: (length) => this.#bytes(length),
        pause: (milliseconds, signal) => scheduler.pause(milliseconds, machine, signal),
        refuse: ({ reason }) => void this.counted.push(reason),
        see: () => undefined,
      },
      used,
    )
    const register = new SessionRegister({ ...ports, sessions, newId: () => `session-${this.#bytes(4).join('')}` })
    const node: Node = { machine, sessions, register, store, clockShift: 0 }
    this.nodes.push(node)
    return node
  }

  caller(name: string, proof: Proof | Refused = proofOf('bot', 'owner-key'), isThief = false): Caller {
    return { name, isThief, proof }
  }

  /** Has the handle, and a certificate of its own: of another agent. */
  thief(name = 'thief'): Caller {
    return this.caller(name, proofOf('mallory', 'mallory-key'), true)
  }

  /** Presents a handle; what comes of it is judged the moment it comes. */
  refresh(node: Node, caller: Caller, handle: string): Promise<Answered> {
    return this.#arrive(node, caller, handle, (askProof, deadline) => node.sessions.refresh(handle, askProof, deadline))
  }

  claim(node: Node, caller: Caller): Promise<Answered> {
    return this.#arrive(node, caller, undefined, (askProof, deadline) => node.sessions.claim(askProof, deadline))
  }

  async end(node: Node, caller: Caller, handle: string): Promise<'ended' | Refused> {
    return as(caller.name, () => node.sessions.end(handle, () => caller.proof))
  }

  /** Something that happens to the world whenever its turn comes. */
  event(name: string, happen: () => void): Promise<void> {
    return as(name, () => this.scheduler.call('happens', undefined, happen))
  }

  /** Begins something when so much time has gone by. */
  async after<Result>(milliseconds: number, begin: () => Promise<Result>): Promise<Result> {
    await this.scheduler.pause(milliseconds, undefined)
    return begin()
  }

  async revoke(node: Node): Promise<void> {
    const crashed = new Promise<void>((resolve) => this.scheduler.onCrash(node.machine, resolve))
    await Promise.race([as('operator', () => node.register.revoke(this.start.session, 'ops')), crashed])
  }

  /** Ends the session in the store, and leaves its tokens to whoever sweeps. */
  async revokeAlone(node: Node): Promise<void> {
    await as('operator', () => node.store.revoke(this.start.session, 'revoked by an operator'))
  }

  /** The row of the session, as an outsider reads it. */
  row(): Readonly<Record<string, unknown>> {
    return database.rows('sessions').find(({ id }) => id === this.start.session) ?? {}
  }

  openToken(sealed: unknown, session: SessionId, generation: number): string {
    if (!(sealed instanceof Uint8Array)) return ''
    return recordSeal(sealingKey, (length) => this.#bytes(length)).open(`session-token|${session}|${generation}`, sealed)
  }

  async #arrive(
    node: Node,
    caller: Caller,
    handle: string | undefined,
    work: (askProof: AskProof, deadline: number) => Promise<SessionGrant | Refused>,
  ): Promise<Answered> {
    const deadline = this.scheduler.time + node.clockShift + patienceMs
    const cut = new Promise<{ readonly kind: 'cut' }>((resolve) => this.scheduler.onCrash(node.machine, () => resolve({ kind: 'cut' })))
    const answered = await Promise.race([
      as(caller.name, () => work(() => caller.proof, deadline)).then((answer) => {
        this.invariants.answered(caller, handle, answer)
        return answer
      }),
      cut,
    ])
    return answered
  }

  #append(entry: SessionAct & { readonly type: 'session' }): number {
    sessionEvent.parse({ v: 1, time: new Date(this.scheduler.time).toISOString(), ...entry })
    this.log.push({ ...entry, at: this.scheduler.time })
    return this.log.length - 1
  }

  readonly #report = (event: string, error: unknown): void => {
    this.reports.push(`${event}: ${String(error)}`)
    this.invariants.reported(event, error)
  }

  /** Never the same twice in a run, and in every run the same. */
  #bytes(length: number): Uint8Array {
    this.#random += 1
    const bytes = new Uint8Array(length)
    new DataView(bytes.buffer).setUint32(0, this.#random)
    return bytes
  }

  /** Continues a run that began elsewhere, without repeating its random bytes. */
  skipRandom(): void {
    this.#random = 1_000_000
  }
}

/** A world with one session in it, refreshed twice, so that there are handles of before; nothing odd has happened yet. */
export async function openWorld(choose: Choose = first, budget: Partial<Budget> = {}): Promise<World> {
  template ??= await makeTemplate()
  const { dump, start } = template
  database.restore(dump)
  const world = new World(choose, { ...nothingOdd, ...budget })
  world.start = start
  world.provider.tokens.set(start.token, { family: 1, state: 'live' })
  world.skipRandom()
  world.scheduler.time += 60_000
  world.invariants.begin()
  return world
}

async function makeTemplate(): Promise<NonNullable<typeof template>> {
  const world = new World(first, nothingOdd)
  const node = world.addNode()
  const caller = world.caller('owner')
  const login = { owner: owner('bot'), issuer: 'https://idp.test', subject: 'alice', scopes: [...grantedScopes], person: 'ops' }
  const opened = node.register.open({ ...login, refreshToken: world.provider.login(1) })
  await world.scheduler.run()
  const result = await opened
  if (result.kind !== 'opened') throw new TypeError('not opened')
  world.start = { ...world.start, session: result.session }
  const claimed = await granted(world, world.claim(node, caller))
  const refreshed = await granted(world, world.refresh(node, caller, claimed.handle))
  const again = await granted(world, world.refresh(node, caller, refreshed.handle))
  const token = [...world.provider.tokens].find(([name]) => world.provider.isLive(name))?.[0] ?? ''
  return { dump: database.dump(), start: { session: result.session, grandparent: claimed.handle, previous: refreshed.handle, handle: again.handle, token } }
}

export async function granted(world: World, answer: Promise<Answered>): Promise<SessionGrant> {
  await world.scheduler.run()
  const got = await answer
  if ('kind' in got) throw new TypeError(`${codeOf(got)}\n${world.scheduler.trace.join('\n')}\n${world.reports.join('\n')}`)
  return got
}

export function codeOf(answer: Answered | undefined): string {
  if (answer === undefined) return 'nothing'
  if (!('kind' in answer)) return 'granted'
  return answer.kind === 'cut' ? 'cut' : answer.problem.code
}

export function digestOf(handle: string): string {
  return createHash('sha256').update(handle).digest('base64url')
}

/** What the edge says of a certificate that was revoked. */
export const certificateRevoked = refused('identity.certificate-revoked')

export function certificateOf({ proof }: Caller): Thumbprint | undefined {
  return 'problem' in proof ? undefined : proof.thumbprint
}
