import { constants, X509Certificate } from 'node:crypto'
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls'
import { refused, ticketMark, type Refused, type SpiffeId } from '@sallyport/contract'
import { Client } from 'undici'
import type { Connection } from '../../edge/inbound.ts'
import { thumbprintOf } from '../../identity/certificate-identity.ts'
import type { Principal } from '../../identity/identify.ts'
import { dial, type Resolver } from '../dial.ts'
import { EchoPattern } from '../echo-pattern.ts'
import { answerHeadBytesMax, type ExchangePool } from '../exchange-pool.ts'
import { notSent, type Unanswered, type UpstreamAnswer, type UpstreamRequest } from '../exchange.ts'
import { FairTurns } from '../fair-turns.ts'
import { checkWritable, outgoingHeaders } from '../outgoing-request.ts'
import { addressRulesOf, originOf, type UpstreamDefinition } from '../upstream-definition.ts'
import { UpstreamExchange } from '../upstream-exchange.ts'
import type { PeerCredentials, PeerTrust } from './peer-trust.ts'

export interface PeerPorts {
  readonly resolver: Resolver
  readonly peers?: PeerTrust
}

/** What is made of the credentials once, until they change. */
interface Proofs {
  readonly credentials: PeerCredentials
  readonly context: SecureContext
  readonly roots: readonly { readonly certificate: X509Certificate; readonly fingerprint: string }[]
}

interface Turn {
  readonly exchange: UpstreamExchange
  readonly request: UpstreamRequest
}

/** Tickets are shown to the agent that they are for. What it echoes of them goes back to nobody. */
const echoedTickets = new EchoPattern([ticketMark])

/**
 * The calls to one agent, over mutual TLS under the gateway's own authority: the gateway shows the certificate of a gateway, and whoever answers must show one of
 * exactly this agent, which counts at this moment as it would if the agent called.
 *
 * Each call has a connection of its own. So the certificate is looked at for every call, before a byte of it is sent, and what the call brings along can be bound to
 * that very certificate.
 */
export class PeerPool implements ExchangePool {
  readonly fingerprint: string
  readonly #definition: UpstreamDefinition & { readonly peer: SpiffeId }
  readonly #resolver: Resolver
  readonly #trust: PeerTrust
  readonly #turns: FairTurns<Turn>
  readonly #running = new Set<UpstreamExchange>()
  /** Whoever is at the other end of those that have got so far. */
  readonly #connections = new Map<UpstreamExchange, Connection>()
  #proofs: Proofs | undefined
  #onIdle: () => void = () => {}

  constructor(definition: UpstreamDefinition & { readonly peer: SpiffeId }, { resolver, peers }: PeerPorts, waitingMax: number) {
    if (!peers || definition.scheme !== 'https') throw new TypeError('an agent is called over mutual TLS')
    this.fingerprint = JSON.stringify(definition)
    this.#definition = definition
    this.#resolver = resolver
    this.#trust = peers
    this.#turns = new FairTurns(definition.connectionsMax, waitingMax)
  }

  async send(request: UpstreamRequest): Promise<UpstreamAnswer | Unanswered> {
    if (!request.introduce) throw new TypeError('an agent is told who calls')
    checkWritable(request.target, request.headers)
    if (request.signal.aborted) return notSent(refused('forward.upstream-failed', 'the caller went away', { detail: 'Nothing was sent to the upstream.' }))
    const agent = `${request.tenant}/${request.agent}`
    if (!this.#turns.hasRoomFor(agent))
      return notSent(refused('forward.upstream-busy', `too many calls wait for upstream ${this.#definition.name}`, { retryAfterSeconds: 1 }))
    const exchange = new UpstreamExchange(request, this.#definition, echoedTickets, () => this.#ended(agent, turn))
    const turn: Turn = { exchange, request }
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
  }

  cutRefused(): void {
    for (const [exchange, connection] of this.#connections) if ('problem' in this.#judge(connection)) exchange.cut('the agent there does not count any more')
  }

  #start(turn: Turn): void {
    this.#running.add(turn.exchange)
    this.#carry(turn).catch((error: unknown) => turn.exchange.giveUp(error))
  }

  async #carry({ exchange, request }: Turn): Promise<void> {
    const socket = await this.#connect(exchange)
    if (!socket) return
    const headers = exchange.hasEnded ? undefined : await this.#introduce(exchange, request, this.#connectionOf(socket))
    if (!headers || exchange.hasEnded) return void socket.destroy()
    // In TLS 1.3 a server refuses a certificate after its client has taken the handshake for done. Nobody would hear of it again.
    if (socket.destroyed) return exchange.onResponseError(undefined, new Error('the connection ended before the call'))
    const { method, target: path } = request
    // After the one exchange the connection ends, whichever side ends it.
    clientOver(originOf(this.#definition), socket).dispatch({ path, method, headers, body: exchange.requestBody, reset: true }, exchange)
  }

  async #connect(exchange: UpstreamExchange): Promise<TLSSocket | undefined> {
    const { host, port, tls, deadlines } = this.#definition
    try {
      const context = { context: this.#provenBy().context, serverName: tls.serverName, isNamed: false }
      const socket = await dial({ host, port, addresses: addressRulesOf(this.#definition), connectMs: deadlines.connectMs, tls: context }, this.#resolver)
      if (socket instanceof TLSSocket) return socket
      throw new TypeError('an agent is called over TLS')
    } catch (error) {
      exchange.onResponseError(undefined, error instanceof Error ? error : new Error('the connection failed'))
      return undefined
    }
  }

  /** What the head of the call says, once it is known to whom. */
  async #introduce(exchange: UpstreamExchange, request: UpstreamRequest, connection: Connection): Promise<string[] | undefined> {
    const peer = this.#judge(connection)
    if ('problem' in peer) {
      exchange.refuse(peer)
      return undefined
    }
    this.#connections.set(exchange, connection) // from now on a change of the roster ends it
    try {
      const introduced = (await request.introduce?.(peer)) ?? []
      if (!('problem' in introduced)) return [...outgoingHeaders({ ...request, legible: 'required' }, undefined), ...introduced.flat()]
      exchange.refuse(introduced)
    } catch (error) {
      exchange.giveUp(error)
    }
    return undefined
  }

  #judge(connection: Connection): Principal | Refused {
    const { name, peer } = this.#definition
    const principal = this.#trust.identify(connection)
    if ('problem' in principal) return peerRefused(`${name}: ${principal.problem.code}, ${principal.reason}`)
    return principal.id === peer ? principal : peerRefused(`${name}: ${principal.id} answers where ${peer} should`)
  }

  /** The handshake has verified the chain, but tells a client nothing of it above the leaf: so the root is looked for that signed it. */
  #connectionOf(socket: TLSSocket): Connection {
    const leaf = socket.getPeerX509Certificate()
    const { roots } = this.#provenBy()
    const issuers = roots.filter(({ certificate }) => leaf?.checkIssued(certificate) === true && leaf.verify(certificate.publicKey))
    return { certificate: leaf?.raw ?? new Uint8Array(0), issuers: issuers.map(({ fingerprint }) => fingerprint), remoteAddress: socket.remoteAddress ?? '' }
  }

  #provenBy(): Proofs {
    const { credentials } = this.#trust
    if (this.#proofs?.credentials !== credentials) this.#proofs = proofsOf(credentials)
    return this.#proofs
  }

  #ended(agent: string, turn: Turn): void {
    this.#running.delete(turn.exchange)
    this.#connections.delete(turn.exchange)
    const next = this.#turns.leave(agent, turn)
    if (next) this.#start(next)
    if (this.#running.size === 0) this.#onIdle()
  }
}

function proofsOf(credentials: PeerCredentials): Proofs {
  const { certificatePem: cert, keyPem: key, rootsPem } = credentials
  const roots = rootsPem.map((pem) => {
    const certificate = new X509Certificate(pem)
    return { certificate, fingerprint: thumbprintOf(certificate.raw) }
  })
  const context = createSecureContext({ cert, key, ca: [...rootsPem], minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET })
  return { credentials, context, roots }
}

function peerRefused(reason: string): Refused {
  return refused('forward.peer-refused', reason, { detail: 'Nothing was sent to it.' })
}

/** A client that has this connection and never makes another. */
function clientOver(origin: string, socket: TLSSocket): Client {
  let left: TLSSocket | undefined = socket
  return new Client(origin, {
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0, // the exchange keeps the deadlines
    bodyTimeout: 0,
    maxHeaderSize: answerHeadBytesMax,
    strictContentLength: true,
    connect: (_options, callback) => {
      const given = left
      left = undefined
      // Not within the call: undici is not ready for a connection that is there at once.
      queueMicrotask(() => (given ? callback(null, given) : callback(new Error('a call has one connection'), null)))
    },
  })
}
