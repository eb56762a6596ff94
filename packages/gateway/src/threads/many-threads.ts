import { Fault } from '@sallyport/contract'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import type { CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import type { ServerCredentials } from '../control/authority/authority.ts'
import type { RosterChange } from '../control/authority/live-roster.ts'
import type { TicketChange } from '../control/tickets/live-ticket-trust.ts'
import { claimAddress } from '../edge/claim-address.ts'
import { carriedPrincipal } from '../identity/identify.ts'
import type { Series } from '../telemetry/metrics.ts'
import { callsOver, serveCalls, type Calls, type Offer } from './calls.ts'
import type { Hosts, HostsTerms, LedgerHost, PlanesHost, PlanesTerms } from './hosts.ts'
import type { ConfigurationText, LedgerApi, LedgerNews, LedgerStart, MainApi, PlaneApi, PlaneStart, ThreadNews } from './plane-ports.ts'
import { localClientLogins, localSessions, offerSessions } from './own-sessions.ts'
import { offerStdioServers } from './remote-stdio-servers.ts'

/** For a change of the roster or of the trust in tickets to be in force on a thread; one that does not answer in time is ended, and its connections with it. */
const inForceMs = 1_000
/** A thread that lived so long had not failed to start; one that did not is replaced after a pause. */
const healthyMs = 10_000
const pauseMsMax = 30_000

const planeCalls = ['prepare', 'activate', 'changeRoster', 'changeTickets', 'replaceTls', 'cancel', 'series', 'held', 'drain', 'close'] as const
const ledgerCalls = [
  'begin',
  'note',
  'answerApproval',
  'approvals',
  'refuse',
  'tools',
  'acceptTool',
  'toolsMayHaveChanged',
  'size',
  'prepare',
  'retire',
  'finish',
  'close',
] as const

interface Started<Api extends Offer<Api>> {
  readonly worker: Worker
  readonly calls: Calls<Api>
  readonly news: Extract<ThreadNews, { kind: 'up' }>
}

/** `observe` gets every thread as it starts: for tests that end one. */
export async function openOnManyThreads(terms: HostsTerms, threads: number, observe: (name: string, worker: Worker) => void = () => undefined): Promise<Hosts> {
  const ledger = new LedgerThread(terms, observe)
  await ledger.start()
  return {
    ledger,
    openPlanes: async (planes) => {
      const host = new PlaneThreads(terms, planes, threads, ledger, observe)
      try {
        await host.start()
      } catch (error) {
        await host.close()
        throw error
      }
      return host
    },
  }
}

class LedgerThread implements LedgerHost {
  readonly #terms: HostsTerms
  readonly #observe: (name: string, worker: Worker) => void
  #running: Started<LedgerApi> | undefined
  #configuration: ConfigurationText
  #isClosing = false
  #isAvailable = true
  /** Who must be linked to a ledger thread that replaces another. */
  onReplaced: () => Promise<readonly number[]> = async () => []
  onUp: () => void = () => undefined

  constructor(terms: HostsTerms, observe: (name: string, worker: Worker) => void) {
    this.#terms = terms
    this.#observe = observe
    this.#configuration = terms.configuration
  }

  get logKey(): string {
    return this.#running?.news.logKey ?? ''
  }

  get isAvailable(): boolean {
    return this.#running !== undefined && this.#isAvailable
  }

  async start(): Promise<void> {
    const { dataFolder, version, report, seeRun } = this.#terms
    const control = new MessageChannel()
    const main = new MessageChannel()
    serveCalls<LedgerNews>(main.port1, { report, seeRun }, (error) => report('thread.failed', error))
    const data: LedgerStart = { dataFolder, configuration: this.#configuration, version, control: control.port2, main: main.port2 }
    const worker = new Worker(new URL('ledger-thread.ts', import.meta.url), { workerData: data, transferList: [control.port2, main.port2] })
    this.#observe('ledger', worker)
    worker.on('error', (error) => report('thread.ended', error))
    worker.on('message', (news: ThreadNews) => {
      if (news.kind === 'unfit') this.#isAvailable = false
    })
    const news = await comesUp(worker)
    this.#running = { worker, calls: callsOver<LedgerApi>(control.port1, ledgerCalls), news }
    this.#isAvailable = true
    worker.once('exit', () => this.#replace())
  }

  link(port: MessagePort): void {
    this.#running?.worker.postMessage(port, [port])
  }

  begin(act: Parameters<LedgerApi['begin']>[0]): Promise<void> {
    return this.#calls.begin(act, [])
  }

  note(act: Parameters<LedgerApi['note']>[0]): Promise<number> {
    return this.#calls.note(act)
  }

  answerApproval(...answer: Parameters<LedgerApi['answerApproval']>): ReturnType<LedgerApi['answerApproval']> {
    return this.#calls.answerApproval(...answer)
  }

  refuse(seen: Parameters<LedgerApi['refuse']>[0]): void {
    void this.#running?.calls.refuse(seen).catch(() => undefined)
  }

  approvals(): Promise<ReturnType<LedgerApi['approvals']>> {
    return this.#calls.approvals()
  }

  tools(upstream?: string): Promise<ReturnType<LedgerApi['tools']>> {
    return this.#calls.tools(upstream)
  }

  acceptTool(...accepted: Parameters<LedgerApi['acceptTool']>): ReturnType<LedgerApi['acceptTool']> {
    return this.#calls.acceptTool(...accepted)
  }

  /** A ledger that is gone knows no tools as fresh when it comes back. */
  toolsMayHaveChanged(...change: Parameters<LedgerApi['toolsMayHaveChanged']>): void {
    void this.#running?.calls.toolsMayHaveChanged(...change).catch(() => undefined)
  }

  size(): Promise<number> {
    return this.#calls.size()
  }

  prepare(next: ConfigurationText): Promise<void> {
    return this.#calls.prepare(next)
  }

  async activate(next: ConfigurationText): Promise<void> {
    const before = this.#configuration.revision
    this.#configuration = next
    if (before !== next.revision) await this.#calls.retire(before)
  }

  finish(): Promise<void> {
    return this.#calls.finish()
  }

  async close(): Promise<void> {
    this.#isClosing = true
    const running = this.#running
    if (!running) return
    try {
      await running.calls.close()
    } finally {
      await running.worker.terminate()
    }
  }

  get #calls(): Calls<LedgerApi> {
    if (!this.#running) throw new Fault('the ledger is being recovered', 'not-done')
    return this.#running.calls
  }

  /** Everything that was acknowledged is in the log; it is recovered as after a restart, and the data planes tell what they still hold. */
  #replace(): void {
    this.#running = undefined
    if (this.#isClosing) return
    const { report, version } = this.#terms
    const replace = async (): Promise<void> => {
      const held = await this.onReplaced()
      await this.start()
      await this.#calls.begin({ act: 'ledger-replaced', version, revision: this.#configuration.revision }, held)
      this.onUp()
    }
    replace().catch((error: unknown) => {
      report('ledger.not-recovered', error)
      if (!this.#isClosing) setTimeout(() => this.#replace(), pauseMsMax).unref()
    })
  }
}

class PlaneThreads implements PlanesHost {
  readonly #terms: HostsTerms
  readonly #planes: PlanesTerms
  readonly #threads: number
  readonly #ledger: LedgerThread
  readonly #observe: (name: string, worker: Worker) => void
  readonly #running = new Set<Started<PlaneApi>>()
  readonly #pending = new Set<Promise<void>>()
  #configuration: ConfigurationText
  #prepared: ConfigurationText | undefined
  #tls: ServerCredentials
  #isClosing = false
  address: { readonly host: string; readonly port: number }

  constructor(terms: HostsTerms, planes: PlanesTerms, threads: number, ledger: LedgerThread, observe: (name: string, worker: Worker) => void) {
    this.#terms = terms
    this.#planes = planes
    this.#threads = threads
    this.#ledger = ledger
    this.#observe = observe
    this.#configuration = planes.configuration
    this.#tls = planes.tls
    this.address = planes.address
    ledger.onReplaced = async () => (await Promise.all([...this.#running].map(({ calls }) => calls.held().catch(() => [])))).flat()
    ledger.onUp = () => {
      for (const plane of this.#running) this.#link(plane)
    }
  }

  async start(): Promise<void> {
    this.address = await claimAddress(this.address)
    await Promise.all(Array.from({ length: this.#threads }, () => this.#startOne()))
  }

  async prepare(next: ConfigurationText): Promise<void> {
    await Promise.all([this.#ledger.prepare(next), ...this.#each(({ calls }) => calls.prepare(next))])
    this.#prepared = next
  }

  async activate({ revision }: CompiledConfiguration): Promise<void> {
    if (this.#prepared?.revision !== revision) throw new TypeError('a configuration is prepared before it is activated')
    this.#configuration = this.#prepared // also for threads that start from now on
    await Promise.all(this.#each(({ calls }) => calls.activate(revision)))
    await this.#ledger.activate(this.#configuration)
  }

  changeRoster(change: RosterChange): void {
    for (const plane of this.#running) {
      const done: Promise<void> = this.#inForceOn(plane, plane.calls.changeRoster([change])).finally(() => this.#pending.delete(done))
      this.#pending.add(done)
    }
  }

  async changeTickets(change: TicketChange): Promise<void> {
    await Promise.all(this.#each((plane) => this.#inForceOn(plane, plane.calls.changeTickets([change]))))
  }

  async inForce(): Promise<void> {
    await Promise.all(this.#pending)
  }

  replaceTls(tls: ServerCredentials): void {
    this.#tls = tls
    for (const { calls } of this.#running) calls.replaceTls(tls).catch((error: unknown) => this.#terms.report('thread.tls', error))
  }

  async series(): Promise<readonly Series[]> {
    return (await Promise.all(this.#each(({ calls }) => calls.series().catch(() => [])))).flat()
  }

  async drain(): Promise<void> {
    this.#isClosing = true
    await Promise.allSettled(this.#each(({ calls }) => calls.drain()))
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.allSettled(this.#each(({ calls }) => calls.close()))
    await Promise.all(this.#each(({ worker }) => worker.terminate()))
  }

  #each<Result>(act: (plane: Started<PlaneApi>) => Promise<Result>): Promise<Result>[] {
    return [...this.#running].map(act)
  }

  async #startOne(): Promise<Started<PlaneApi>> {
    const { dataFolder, trustDomain, version, report } = this.#terms
    const { roster, tickets, delegations, stdio, payloads, renew, now } = this.#planes
    const control = new MessageChannel()
    const main = new MessageChannel()
    const children = new MessageChannel()
    const failed = (error: unknown): void => report('thread.failed', error)
    const { sessions: kept, clientLogins } = this.#planes
    const sessions = offerSessions(localSessions(kept, roster, now), localClientLogins(clientLogins, roster, now))
    const offer: MainApi = {
      ...sessions,
      keepPayload: (payload) => payloads.keep(payload),
      dropPayload: (digest) => payloads.drop(digest),
      delegate: (handover) => delegations.delegate(handover),
      introduce: (introduction) => delegations.introduce(introduction),
      renew: (principal, csrPem) => renew(carriedPrincipal(principal), csrPem),
      cancelElsewhere: (key) => {
        for (const { calls } of this.#running) void calls.cancel(key).catch(() => undefined)
      },
      report,
    }
    serveCalls<MainApi>(main.port1, offer, failed)
    offerStdioServers(children.port1, stdio, failed)
    const data: PlaneStart = {
      dataFolder,
      configuration: this.#configuration,
      trustDomain,
      version,
      roster: roster.changes(),
      tickets: tickets.changes(),
      tls: this.#tls,
      address: this.address,
      threads: this.#threads,
      ports: { control: control.port2, main: main.port2, stdio: children.port2 },
    }
    const startedAt = Date.now()
    const worker = new Worker(new URL('data-plane-thread.ts', import.meta.url), { workerData: data, transferList: [control.port2, main.port2, children.port2] })
    this.#observe('data-plane', worker)
    worker.on('error', (error) => report('thread.ended', error))
    const started: Started<PlaneApi> = { worker, calls: callsOver<PlaneApi>(control.port1, planeCalls), news: await comesUp(worker) }
    this.#running.add(started)
    // Of what changed while it was starting.
    const informed = Promise.all([started.calls.changeRoster(roster.changes()), started.calls.changeTickets(tickets.changes())])
    worker.once('exit', () => {
      this.#running.delete(started)
      sessions.leaveAll()
      this.#replace(startedAt, 0)
    })
    await informed
    this.#link(started)
    return started
  }

  #link({ worker }: Started<PlaneApi>): void {
    const { port1, port2 } = new MessageChannel()
    this.#ledger.link(port1)
    worker.postMessage(port2, [port2])
  }

  #replace(startedAt: number, failures: number): void {
    if (this.#isClosing) return
    const pauseMs = Date.now() - startedAt >= healthyMs ? 0 : Math.min(500 * 2 ** failures, pauseMsMax)
    setTimeout(() => {
      if (this.#isClosing) return
      this.#startOne().catch((error: unknown) => {
        this.#terms.report('thread.not-replaced', error)
        this.#replace(startedAt, failures + 1)
      })
    }, pauseMs).unref()
  }

  async #inForceOn({ worker }: Started<PlaneApi>, changing: Promise<void>): Promise<void> {
    const late = setTimeout(() => void worker.terminate(), inForceMs)
    await changing.catch(() => undefined) // a thread that is gone serves nobody
    clearTimeout(late)
  }
}

/** @throws Fault of the thread when it does not come up */
function comesUp(worker: Worker): Promise<Extract<ThreadNews, { kind: 'up' }>> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(error)
    worker.once('error', fail)
    worker.once('exit', () => fail(new Fault('a thread of the gateway ended while it started', 'not-done')))
    worker.on('message', function hear(news: ThreadNews) {
      if (news.kind === 'unfit') return
      worker.off('message', hear)
      worker.off('error', fail)
      if (news.kind === 'up') return resolve(news)
      void worker.terminate()
      reject(new Fault(news.message, news.outcome))
    })
  })
}
