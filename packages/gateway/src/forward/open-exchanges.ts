import { createSecureContext } from 'node:tls'
import { refused, type UpstreamName } from '@sallyport/contract'
import { Pool, type Dispatcher } from 'undici'
import { injectCredential, type Credentials } from './credentials.ts'
import { dial, type DialTarget, type Resolver } from './dial.ts'
import { EchoPattern } from './echo-pattern.ts'
import { answerHeadBytesMax, type ExchangePool } from './exchange-pool.ts'
import { notSent, type Exchanges, type Unanswered, type UpstreamAnswer, type UpstreamRequest } from './exchange.ts'
import { FairTurns } from './fair-turns.ts'
import { checkWritable, outgoingHeaders } from './outgoing-request.ts'
import { PeerPool } from './peers/peer-pool.ts'
import type { PeerTrust } from './peers/peer-trust.ts'
import { addressRulesOf, originOf, type UpstreamDefinition } from './upstream-definition.ts'
import { UpstreamExchange } from './upstream-exchange.ts'

export interface ExchangePorts {
  readonly credentials: Credentials
  readonly resolver: Resolver
  /** For upstreams that are agents. */
  readonly peers?: PeerTrust
}

export interface ExchangesLimits {
  /** How many calls of one upstream wait for a connection before more are refused. */
  readonly waitingMax: number
  /** How long exchanges under way may go on when their upstream is removed or the gateway closes. */
  readonly drainMs: number
}

export const exchangesLimits: ExchangesLimits = { waitingMax: 256, drainMs: 30_000 }

/** Exchanges whose upstreams can change while they run. */
export interface OpenExchanges extends Exchanges {
  /** From now on these are the upstreams. One that did not change keeps its connections; a removed or changed one drains. */
  replace(definitions: Iterable<UpstreamDefinition>): void
  /** Ends what goes on with agents that do not count any more. */
  cutRefused(): void
}

/** @throws TypeError for definitions that `compileUpstreamDefinition` did not make */
export function openExchanges(definitions: Iterable<UpstreamDefinition>, ports: ExchangePorts, limits: ExchangesLimits = exchangesLimits): OpenExchanges {
  let pools = poolsOf(definitions, new Map(), ports, limits)
  const draining = new Set<Promise<void>>()

  const drain = (pool: ExchangePool): void => {
    const drained = pool.drain(limits.drainMs).finally(() => draining.delete(drained))
    draining.add(drained)
  }

  return {
    async send(request) {
      const pool = pools.get(request.isStream ? streamsOf(request.upstream) : request.upstream)
      // A call can be judged just before a reload removes its upstream.
      if (!pool)
        return notSent(
          refused('forward.upstream-failed', `upstream ${request.upstream} is no longer configured`, { detail: 'Nothing was sent to the upstream.' }),
        )
      return pool.send(request)
    },
    replace(next) {
      const before = pools
      pools = poolsOf(next, before, ports, limits)
      const kept = new Set(pools.values())
      for (const pool of before.values()) if (!kept.has(pool)) drain(pool)
    },
    cutRefused() {
      for (const pool of pools.values()) pool.cutRefused()
    },
    async close() {
      for (const pool of pools.values()) drain(pool)
      pools = new Map()
      await Promise.all(draining)
    },
  }
}

/** By the name of the upstream, and apart from it for its streams. */
type Pools = ReadonlyMap<string, ExchangePool>

/** Streams of one upstream that are open at once. */
const streamsMax = 1024

function streamsOf(name: UpstreamName): string {
  return `${name} streams`
}

function poolsOf(definitions: Iterable<UpstreamDefinition>, before: Pools, ports: ExchangePorts, limits: ExchangesLimits): Pools {
  const pools = new Map<string, ExchangePool>()
  const put = (key: string, definition: UpstreamDefinition, waitingMax: number): void => {
    const known = before.get(key)
    pools.set(key, known?.fingerprint === JSON.stringify(definition) ? known : newPool(definition, ports, { ...limits, waitingMax }))
  }
  for (const definition of definitions) {
    put(definition.name, definition, limits.waitingMax)
    put(streamsOf(definition.name), { ...definition, connectionsMax: streamsMax }, 0)
  }
  return pools
}

function newPool(definition: UpstreamDefinition, ports: ExchangePorts, limits: ExchangesLimits): ExchangePool {
  const { peer } = definition
  return peer === undefined ? new UpstreamPool(definition, ports, limits) : new PeerPool({ ...definition, peer }, ports, limits.waitingMax)
}

/** Tenants with a credential of their own at one upstream whose patterns are kept. */
const echoesMax = 64

/** The connections of one upstream. */
class UpstreamPool implements ExchangePool {
  readonly fingerprint: string
  readonly #definition: UpstreamDefinition
  readonly #credentials: Credentials
  readonly #pool: Pool
  readonly #running = new Set<UpstreamExchange>()
  /** Undici has a queue of its own, but what is given up there stays in it, and it knows no agents. */
  readonly #turns: FairTurns<Turn>
  /** By secret, since making one takes longer than a request. */
  readonly #echoes = new Map<string, EchoPattern>()
  #onIdle: () => void = () => {}

  constructor(definition: UpstreamDefinition, { credentials, resolver }: ExchangePorts, { waitingMax }: ExchangesLimits) {
    this.fingerprint = JSON.stringify(definition)
    this.#definition = definition
    this.#credentials = credentials
    this.#turns = new FairTurns(definition.connectionsMax, waitingMax)
    const target = dialTarget(definition)
    this.#pool = new Pool(originOf(definition), {
      connections: definition.connectionsMax,
      pipelining: 1, // with more, one hanging answer would hold up the calls of other agents
      allowH2: false,
      headersTimeout: 0, // the exchange keeps the deadlines, which undici's coarse timers would miss by half a second
      bodyTimeout: 0,
      maxHeaderSize: answerHeadBytesMax,
      strictContentLength: true,
      connect: (_options, callback) => {
        dial(target, resolver).then(
          (socket) => callback(null, socket),
          (error: unknown) => callback(error instanceof Error ? error : new Error('the connection failed'), null),
        )
      },
    })
  }

  async send(request: UpstreamRequest): Promise<UpstreamAnswer | Unanswered> {
    const { name, basePath, credential: rule } = this.#definition
    if (request.introduce) throw new TypeError('only an agent is told who calls')
    const path = `${basePath}${request.target}` || '/'
    checkWritable(path, request.headers)
    const credential = rule && (await injectCredential(this.#credentials, rule, request.tenant))
    if (credential && 'kind' in credential) return notSent(credential)
    if (request.signal.aborted) return notSent(refused('forward.upstream-failed', 'the caller went away', { detail: 'Nothing was sent to the upstream.' }))

    const agent = `${request.tenant}/${request.agent}`
    if (!this.#turns.hasRoomFor(agent)) return notSent(refused('forward.upstream-busy', `too many calls wait for upstream ${name}`, { retryAfterSeconds: 1 }))
    const exchange = new UpstreamExchange(request, this.#definition, credential && this.#echoOf(credential.secret), () => this.#ended(agent, turn))
    const options = { path, method: request.method, headers: outgoingHeaders(request, credential?.header), body: exchange.requestBody }
    const turn: Turn = { exchange, options }
    if (this.#turns.enter(agent, turn)) this.#start(turn)
    return exchange.answer
  }

  async drain(drainMs: number): Promise<void> {
    const idle = Promise.withResolvers<void>()
    this.#onIdle = idle.resolve
    if (this.#running.size === 0) idle.resolve()
    const timer = setTimeout(() => {
      for (const exchange of [...this.#turns.waiting.map((turn) => turn.exchange), ...this.#running]) exchange.cut('the gateway lets go of this upstream')
    }, drainMs)
    await idle.promise
    clearTimeout(timer)
    await this.#pool.destroy()
  }

  /** Whom a host name stands for is asked at the handshake alone. */
  cutRefused(): void {}

  #echoOf(secret: string): EchoPattern {
    const known = this.#echoes.get(secret)
    if (known) return known
    const [oldest] = this.#echoes.keys()
    if (this.#echoes.size >= echoesMax && oldest !== undefined) this.#echoes.delete(oldest)
    const made = new EchoPattern([secret])
    this.#echoes.set(secret, made)
    return made
  }

  #start({ exchange, options }: Turn): void {
    this.#running.add(exchange)
    this.#pool.dispatch(options, exchange)
  }

  #ended(agent: string, turn: Turn): void {
    this.#running.delete(turn.exchange)
    const next = this.#turns.leave(agent, turn)
    if (next) this.#start(next)
    if (this.#running.size === 0) this.#onIdle()
  }
}

interface Turn {
  readonly exchange: UpstreamExchange
  readonly options: Dispatcher.DispatchOptions
}

function dialTarget(definition: UpstreamDefinition): DialTarget {
  const { scheme, host, port, tls, deadlines } = definition
  // Without a CA of its own an upstream is checked against the public ones that Node brings.
  const context = scheme === 'https' && createSecureContext({ ca: tls.ca, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' })
  return {
    host,
    port,
    addresses: addressRulesOf(definition),
    connectMs: deadlines.connectMs,
    tls: context ? { context, serverName: tls.serverName } : undefined,
  }
}
