import { isDeepStrictEqual } from 'node:util'
import { Fault, refused, type JsonObject, type Refused, type TenantName, type UpstreamName } from '@sallyport/contract'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../../access/access-request.ts'
import type { StdioServerSettings } from '../../control/configuration/stdio-server-settings.ts'
import { refusalOf } from '../../forward/exchange.ts'
import type { ChildOwner, ChildStatus, StdioSupervisor } from '../../forward/mcp/stdio-servers.ts'
import { StdioChild } from './stdio-child.ts'

export interface StdioServersTerms {
  /** What the configuration says now; a child whose settings changed is replaced at its next use. */
  readonly settings: (upstream: UpstreamName) => StdioServerSettings | undefined
  /** The tenant's secret, or undefined when it is not set. */
  readonly reveal: (tenant: TenantName, name: string) => Promise<string | undefined>
  /** Told when a child says so. */
  readonly toolsChanged: (owner: ChildOwner) => void
  /** Told when a child ends: the next one may be another version. */
  readonly toolsMayHaveChanged: (owner: ChildOwner) => void
  readonly version: string
  readonly now: () => number
  /** An existing folder under which children without a folder get one of their own. */
  readonly temporaryFolder: string
  /** Something went wrong that no caller waits for. */
  readonly report: (fault: unknown) => void
  /** Files and folders that no child may see: those that hold the gateway's keys. */
  readonly hidden: () => readonly string[]
  /** Children at once. */
  readonly childrenMax?: number
}

const childrenMaxDefault = 256
/** A child that lived so long had not failed to start. */
const healthyMs = 30_000
const delayMsFirst = 500
const delayMsMax = 60_000

type Heard = { readonly kind: 'messages'; readonly messages: AsyncIterable<JsonRpcMessage> } | Refused

/** Runs MCP servers as child processes. */
export function runStdioServers(terms: StdioServersTerms): StdioSupervisor {
  return new ChildPool(terms)
}

/** The place of one owner's child: it outlives the child, so that a server that keeps failing is not started without end. */
interface Slot {
  readonly owner: ChildOwner
  child: StdioChild | undefined
  settings: StdioServerSettings | undefined
  starts: number
  failures: number
  startedAt: number
  mayStartAt: number
  usedAt: number
  idleTimer: NodeJS.Timeout | undefined
}

class ChildPool implements StdioSupervisor {
  readonly #terms: StdioServersTerms
  readonly #slots = new Map<string, Slot>()
  readonly #stopping = new Set<Promise<void>>()
  #isClosed = false

  constructor(terms: StdioServersTerms) {
    this.#terms = terms
  }

  async open(owner: ChildOwner): Promise<{ readonly kind: 'opened'; readonly initialized: JsonObject } | Refused> {
    const ready = await this.#ready(owner)
    return ready.kind === 'refused' ? ready : { kind: 'opened', initialized: ready.initialized }
  }

  async request(owner: ChildOwner, session: string, request: JsonRpcRequest, signal: AbortSignal): Promise<Heard> {
    const ready = await this.#ready(owner)
    if (ready.kind === 'refused') return ready
    return { kind: 'messages', messages: ready.child.request(session, request, signal) }
  }

  async listen(owner: ChildOwner, signal: AbortSignal): Promise<Heard> {
    const ready = await this.#ready(owner)
    return ready.kind === 'refused' ? ready : { kind: 'messages', messages: ready.child.listen(signal) }
  }

  async notify(owner: ChildOwner, session: string, notification: JsonRpcNotification): Promise<void> {
    this.#slots.get(keyOf(owner))?.child?.notify(session, notification)
  }

  async respond(owner: ChildOwner, response: JsonRpcResponse): Promise<void> {
    this.#slots.get(keyOf(owner))?.child?.respond(response)
  }

  status(): readonly ChildStatus[] {
    return [...this.#slots.values()].map(({ owner, child, starts }) => ({
      ...owner,
      state: child === undefined ? 'waiting' : child.pid === undefined ? 'starting' : 'running',
      pid: child?.pid,
      starts,
      errors: child?.errors ?? '',
    }))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const slot of this.#slots.values()) this.#stop(slot)
    this.#slots.clear()
    await Promise.all(this.#stopping)
  }

  async #ready(owner: ChildOwner): Promise<{ readonly kind: 'ready'; readonly child: StdioChild; readonly initialized: JsonObject } | Refused> {
    const settings = this.#terms.settings(owner.upstream)
    if (!settings || this.#isClosed)
      return refused('forward.upstream-failed', settings ? 'the gateway is closing' : 'the upstream is gone from the configuration')
    const current = this.#slots.get(keyOf(owner))
    if (current?.child?.isBroken) this.#ended(current, current.child)
    const isRunning = current?.child !== undefined && isDeepStrictEqual(current.settings, settings)
    const env = isRunning ? undefined : await this.#environment(owner, settings)
    if (env?.kind === 'refused') return env
    const slot = this.#slotOf(owner)
    if (!slot) return refused('edge.overloaded', 'too many children are at work', { retryAfterSeconds: 1 })
    if (slot.child && !isDeepStrictEqual(slot.settings, settings)) this.#stop(slot)
    const child = slot.child ?? this.#start(slot, settings, env?.values ?? {}, env?.secrets ?? [])
    if ('kind' in child) return child
    if (child.isFull) return refused('edge.overloaded', 'the child has too much in flight', { retryAfterSeconds: 1 })
    this.#use(slot, child)
    try {
      return { kind: 'ready', child, initialized: await child.initialized }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return refusalOf(error) ?? refused('forward.upstream-failed', error.message)
    }
  }

  async #environment(
    { tenant }: ChildOwner,
    { env, secrets }: StdioServerSettings,
  ): Promise<{ readonly kind: 'env'; readonly values: Record<string, string>; readonly secrets: readonly string[] } | Refused> {
    const values = { ...env }
    const revealed: string[] = []
    for (const [variable, name] of Object.entries(secrets)) {
      const secret = await this.#terms.reveal(tenant, name)
      if (secret === undefined) return refused('forward.credential-missing', `secret ${name} of tenant ${tenant}`)
      values[variable] = secret
      revealed.push(secret)
    }
    return { kind: 'env', values, secrets: revealed }
  }

  #slotOf(owner: ChildOwner): Slot | undefined {
    const key = keyOf(owner)
    const known = this.#slots.get(key)
    if (known) return known
    if (this.#slots.size >= (this.#terms.childrenMax ?? childrenMaxDefault) && !this.#makeRoom()) return undefined
    const slot: Slot = { owner, child: undefined, settings: undefined, starts: 0, failures: 0, startedAt: 0, mayStartAt: 0, usedAt: 0, idleTimer: undefined }
    this.#slots.set(key, slot)
    return slot
  }

  /** Gives up the slot that was idle for longest. */
  #makeRoom(): boolean {
    const idle = [...this.#slots.values()].filter(({ child }) => child === undefined || child.isIdle)
    const oldest = idle.toSorted((left, right) => left.usedAt - right.usedAt)[0]
    if (!oldest) return false
    this.#stop(oldest)
    return this.#slots.delete(keyOf(oldest.owner))
  }

  #start(slot: Slot, settings: StdioServerSettings, env: Record<string, string>, secrets: readonly string[]): StdioChild | Refused {
    const now = this.#terms.now()
    if (now < slot.mayStartAt) {
      const retryAfterSeconds = Math.ceil((slot.mayStartAt - now) / 1000)
      return refused('forward.upstream-failed', 'the server keeps failing', { detail: 'The server keeps failing and is given a pause.', retryAfterSeconds })
    }
    const { version, temporaryFolder, hidden, report } = this.#terms
    const toolsChanged = (): void => this.#terms.toolsChanged(slot.owner)
    const given = { ...settings, env, secrets, version, temporaryFolder, hidden: hidden(), report }
    const child: StdioChild = new StdioChild(given, () => this.#use(slot, child), toolsChanged)
    slot.child = child
    slot.settings = settings
    slot.starts += 1
    slot.startedAt = now
    const gone = Promise.allSettled([child.ended, child.initialized.catch(() => undefined)]).then(() => this.#ended(slot, child))
    this.#track(gone)
    return child
  }

  /** It ended, or broke, by itself. */
  #ended(slot: Slot, child: StdioChild): void {
    if (slot.child !== child) return
    const now = this.#terms.now()
    slot.child = undefined
    clearTimeout(slot.idleTimer)
    this.#terms.toolsMayHaveChanged(slot.owner)
    slot.failures = now - slot.startedAt >= healthyMs ? 1 : slot.failures + 1
    // The first restart is at once: a crash in the middle of work must not turn the next call away.
    slot.mayStartAt = slot.failures === 1 ? now : now + Math.min(delayMsFirst * 2 ** (slot.failures - 2), delayMsMax)
  }

  #use(slot: Slot, child: StdioChild): void {
    if (slot.child !== child) return
    slot.usedAt = this.#terms.now()
    clearTimeout(slot.idleTimer)
    if (!child.isIdle) return
    slot.idleTimer = setTimeout(() => {
      if (child.isIdle && slot.child === child) this.#stop(slot)
    }, slot.settings?.idleMs)
    slot.idleTimer.unref()
  }

  #stop(slot: Slot): void {
    const { child } = slot
    if (!child) return
    slot.child = undefined
    clearTimeout(slot.idleTimer)
    this.#terms.toolsMayHaveChanged(slot.owner)
    this.#track(child.stop())
  }

  #track(work: Promise<void>): void {
    const done: Promise<void> = work.catch(this.#terms.report).finally(() => this.#stopping.delete(done))
    this.#stopping.add(done)
  }
}

function keyOf({ tenant, agent, upstream }: ChildOwner): string {
  return `${tenant}/${agent}/${upstream}`
}
