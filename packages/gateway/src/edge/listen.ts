import { constants } from 'node:crypto'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import type { Socket } from 'node:net'
import { AgentLoads } from './agent-loads.ts'
import { CallerConnection, type ListenerScope } from './caller-connection.ts'
import { CoarseTime, sweepMs } from './coarse-time.ts'
import type { ConnectionRefusal, EdgeEvent } from './edge-event.ts'
import type { Answer, Connection, Inbound } from './inbound.ts'
import type { EdgeLimits } from './limits.ts'
import { peerOf } from './peer.ts'

export interface EdgeTls {
  /** The gateway's own certificate and its intermediates. */
  readonly certificatePem: string
  readonly keyPem: string
  /** Whom client certificates must chain to. Unused where no client certificate is asked for. */
  readonly rootsPem: readonly string[]
}

export interface EdgeOptions {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Several listeners, on threads of their own, share the address: the system gives each connection to one of them. */
  readonly reusePort?: boolean
  readonly tls: EdgeTls
  /** `none` is for the enrolment listener alone: its callers have no certificate yet. */
  readonly clientCertificates: 'required' | 'none'
  /** Whose a certificate is, so that limits hold for an agent and not for each certificate that it has at a time. Without an answer it counts by itself. */
  readonly agentOf?: (certificate: Uint8Array) => string | undefined
  readonly limits: EdgeLimits
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** A fresh UUID. */
  readonly newId: () => string
  readonly observe: (event: EdgeEvent) => void
}

export interface Edge {
  readonly address: { readonly host: string; readonly port: number }
  /**
   * For handshakes from now on; open connections keep what they proved, so whoever retires a root must also `cut` or refuse per request.
   *
   * @throws Error of OpenSSL for unusable PEM; the previous credentials then stay.
   */
  replaceTls(tls: EdgeTls): void
  /** Destroys the open connections that match before it returns, those with requests in flight too, and says how many. */
  cut(isCut: (connection: Connection) => boolean): number
  /**
   * Accepts no connection and no new request (`edge.draining`), lets requests in flight finish. Resolves when the last connection has ended, at the deadline
   * by force.
   */
  drain(deadlineMs?: number): Promise<void>
  /** Ends everything at once. */
  close(): Promise<void>
}

/**
 * Listens for HTTP/1.1 over TLS 1.3. `handle` sees only requests that every parser reads in one way; everything else is answered and observed here.
 *
 * A handshake is never resumed: a ticket would let a caller in after its certificate expired or its root was removed.
 *
 * @throws Error with `code` EADDRINUSE, EACCES or EADDRNOTAVAIL when the address cannot be had, and of OpenSSL for unusable PEM.
 */
export async function listen(options: EdgeOptions, handle: (inbound: Inbound) => Promise<Answer>): Promise<Edge> {
  const listener = new TlsListener(options, handle)
  await listener.open()
  return listener
}

class TlsListener implements Edge {
  readonly #options: EdgeOptions
  readonly #scope: ListenerScope
  readonly #time = new CoarseTime()
  readonly #server: Server
  readonly #connections = new Set<CallerConnection>()
  /** Sockets that are not yet a connection, by address and port of the other end. */
  readonly #handshaking = new Map<string, Socket>()
  readonly #agents = new AgentLoads()
  address = { host: '', port: 0 }
  #sweep: NodeJS.Timeout | undefined
  /** While draining: the last connection has ended. */
  readonly #emptied = Promise.withResolvers<void>()

  constructor(options: EdgeOptions, handle: (inbound: Inbound) => Promise<Answer>) {
    const { limits, clock, newId, observe } = options
    this.#options = options
    this.#scope = { limits, time: this.#time, load: { requestsInFlight: 0, isDraining: false }, handle, clock, newId, observe }
    this.#server = createServer(serverOptions(options))
    this.#server.maxConnections = limits.connections
    this.#server.on('drop', (dropped) => this.#refuse('too-many-connections', `more than ${limits.connections}`, dropped?.remoteAddress))
    this.#server.on('connection', (socket: Socket) => this.#watchHandshake(socket))
    this.#server.on('secureConnection', (socket) => this.#admit(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#endHandshake(error, socket))
  }

  async open(): Promise<void> {
    const { host, port, reusePort = false } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, reusePort }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#server.on('error', (error) => this.#refuse('accept-failed', error.message, undefined)) // such as no file descriptor left
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has an address and a port')
    this.address = { host: address.address, port: address.port }
    this.#sweep = setInterval(() => this.#sweepDeadlines(), sweepMs).unref()
  }

  replaceTls(tls: EdgeTls): void {
    this.#server.setSecureContext(contextOptions(tls, this.#options.clientCertificates))
  }

  cut(isCut: (connection: Connection) => boolean): number {
    let count = 0
    for (const connection of this.#connections) {
      if (!isCut(connection.peer)) continue
      connection.destroy('cut')
      count++
    }
    return count
  }

  async drain(deadlineMs: number = this.#options.limits.drainMs): Promise<void> {
    this.#scope.load.isDraining = true
    this.#server.close()
    for (const socket of this.#handshaking.values()) socket.destroy()
    for (const connection of this.#connections) connection.drain()
    if (this.#connections.size === 0) this.#emptied.resolve()
    const deadline = setTimeout(() => this.#destroyAll(), deadlineMs)
    await this.#emptied.promise
    clearTimeout(deadline)
    clearInterval(this.#sweep)
  }

  async close(): Promise<void> {
    await this.drain(0)
  }

  #destroyAll(): void {
    for (const connection of this.#connections) connection.destroy('drained')
  }

  #sweepDeadlines(): void {
    this.#time.advance()
    for (const connection of this.#connections) connection.sweep(this.#time.nowMs)
  }

  #watchHandshake(socket: Socket): void {
    const key = endpointOf(socket)
    this.#handshaking.set(key, socket)
    socket.once('close', () => {
      if (this.#handshaking.get(key) === socket) this.#handshaking.delete(key)
    })
  }

  #endHandshake(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    this.#refuse(...handshakeRefusal(error, socket), socket.remoteAddress)
    socket.destroy() // Node reports a handshake that took too long and otherwise leaves it open
  }

  #admit(socket: TLSSocket): void {
    const { limits, load, observe } = this.#scope
    this.#handshaking.delete(endpointOf(socket))
    const peer = peerOf(socket)
    if (this.#options.clientCertificates === 'required' && (!socket.authorized || peer.certificate.length === 0)) {
      this.#refuse('no-certificate', 'a handshake without a verified certificate', peer.remoteAddress)
      socket.destroy()
      return
    }
    if (load.isDraining) {
      socket.destroy()
      return
    }
    const agent = this.#agents.connect(this.#agentOf(socket, peer), limits.connectionsPerAgent)
    if (!agent) {
      this.#refuse('too-many-connections-of-agent', `more than ${limits.connectionsPerAgent}`, peer.remoteAddress)
      socket.destroy()
      return
    }
    observe({ kind: 'connection-opened', connection: peer })
    this.#connections.add(
      new CallerConnection(socket, peer, agent, this.#scope, (connection, reason) => {
        this.#connections.delete(connection)
        agent.disconnect()
        observe({ kind: 'connection-closed', connection: peer, reason })
        if (load.isDraining && this.#connections.size === 0) this.#emptied.resolve()
      }),
    )
  }

  #agentOf(socket: TLSSocket, { certificate, remoteAddress }: Connection): string {
    if (certificate.length === 0) return remoteAddress
    return this.#options.agentOf?.(certificate) ?? socket.getPeerX509Certificate()?.fingerprint256 ?? remoteAddress
  }

  #refuse(reason: ConnectionRefusal, detail: string, remoteAddress: string | undefined): void {
    this.#scope.observe({ kind: 'connection-refused', reason, detail, remoteAddress: remoteAddress ?? '' })
  }
}

function endpointOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

/** One context per listener, never one chosen by server name: what a caller proved to one name must not count for another. */
function serverOptions({ tls, clientCertificates, limits }: EdgeOptions): TlsOptions {
  const isRequired = clientCertificates === 'required'
  return {
    ...contextOptions(tls, clientCertificates),
    requestCert: isRequired,
    rejectUnauthorized: isRequired,
    handshakeTimeout: limits.handshakeMs,
    ALPNProtocols: ['http/1.1'],
  }
}

function contextOptions(tls: EdgeTls, clientCertificates: EdgeOptions['clientCertificates']): TlsOptions {
  return {
    cert: tls.certificatePem,
    key: tls.keyPem,
    ...(clientCertificates === 'required' ? { ca: [...tls.rootsPem] } : {}),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
    sessionIdContext: 'sallyport-edge',
  }
}

/** Node reports a refused certificate as a reset; the cause is on the socket. */
function handshakeRefusal(error: NodeJS.ErrnoException, socket: TLSSocket): [ConnectionRefusal, string] {
  const { authorizationError } = socket
  if (authorizationError) return ['certificate-refused', String(authorizationError)]
  switch (error.code) {
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return ['no-certificate', error.code]
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return ['handshake-timeout', error.code]
    default:
      return ['handshake-failed', error.code ?? error.message]
  }
}
