import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { PassThrough, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault, isMcpPath, oauthMethod, reachedAtHeader, type ProblemCode } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import type { GatewayLink, LinkRequest } from '../link/gateway-link.ts'
import { firstHeader, pairHeaders, type HeaderPairs } from '../link/header-pairs.ts'
import { admit, admitInside, type AdmissionRules, type Admitted } from './admit.ts'
import { answerProblem, refuseUnparsed, wasRefusedOn } from './answer-problem.ts'
import type { ClientSecret } from './client-secret.ts'
import { crossOriginHeaders, preflightHeaders } from './cross-origin.ts'
import { faultProblem } from './fault-problem.ts'
import { gatewayPath } from './gateway-path.ts'
import type { Interception } from './interception/interception.ts'
import { loginLimit } from './login-limit.ts'
import { ownAuthorities, parseLoopbackAddress } from './loopback-address.ts'
import { loginHeaders, onwardHeaders, returnedHeaders } from './pass-headers.ts'
import { openTunnels, type Tunnels } from './tunnels.ts'
import { upstreamHosts, type UpstreamHosts } from './upstream-hosts.ts'

export const bridgeLimits = {
  connectionsMax: 64,
  inFlightMax: 64,
  headBytesMax: 32_768,
  headersMax: 100,
  headMsMax: 10_000,
  requestMsMax: 300_000,
  keepAliveMs: 5_000,
  /** An MCP stream may be silent for long; a client reconnects after this. */
  answerIdleMsMax: 3_600_000,
  answerHeadMsMax: 600_000,
  closeMsMax: 2_000,
} as const

export interface BridgeOptions {
  readonly link: Pick<GatewayLink, 'request' | 'catalog'>
  /** Only loopback; port 0 lets the system choose. */
  readonly listen: { readonly host: string; readonly port: number }
  readonly clientSecret: ClientSecret
  /** Exact origins whose pages may use the bridge from a browser; normally none. */
  readonly allowedOrigins: readonly string[]
  /** Ends TLS in tunnels to the hosts that it covers; without it they are refused. */
  readonly interception?: Interception | undefined
  readonly clock: Pick<Clock, 'now'>
  /** Makes the opaque id of a problem. */
  readonly newId: () => string
  /** A client was turned away; `origin` as it came. */
  readonly onTurnedAway?: ((code: ProblemCode, origin: string | undefined) => void) | undefined
  /** A bug, for the operator's eyes. */
  readonly report: (failure: unknown) => void
}

export interface Bridge {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Accepts nothing new, lets exchanges end for `closeMsMax`, then cuts them. */
  close(): Promise<void>
}

/**
 * Opens the loopback side of the gateway for programs that cannot hold a key: MCP clients at `/mcp` and `/mcp/<upstream>`, HTTP programs at `/http/<upstream>/<path>` or
 * through the bridge as HTTP proxy, by absolute URLs or in tunnels that end here, clients of language models at `/llm/<upstream>/v1/...`, and of other agents at
 * `/a2a/<upstream>`. Bodies stream both ways; a client that goes away cancels its exchange at the gateway.
 *
 * @throws Fault `not-done` for an address that is not loopback, or that is taken.
 */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  const { listen, clock, link, newId } = options
  const address = parseLoopbackAddress(`${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`)
  if (!address) throw new Fault(`${listen.host}:${listen.port} is not loopback: whoever reaches the bridge acts as the agent; use 127.0.0.1`, 'not-done')

  const server = createServer({
    maxHeaderSize: bridgeLimits.headBytesMax,
    headersTimeout: bridgeLimits.headMsMax,
    requestTimeout: bridgeLimits.requestMsMax,
    keepAliveTimeout: bridgeLimits.keepAliveMs,
    connectionsCheckingInterval: 1_000,
    insecureHTTPParser: false,
    highWaterMark: 65_536,
  })
  server.maxConnections = bridgeLimits.connectionsMax
  server.maxHeadersCount = bridgeLimits.headersMax
  await startListening(server, address)

  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  const url = `http://${address.host === '::1' ? '[::1]' : address.host}:${port}`
  const rules = {
    authorities: ownAuthorities(port),
    allowedOrigins: new Set(options.allowedOrigins),
    secret: options.clientSecret,
    takeLogin: loginLimit(() => clock.now()),
  }
  const hosts = upstreamHosts(link, clock)
  const tunnels = openTunnels({ server, rules, hosts, interception: options.interception, newId, report: options.report, onTurnedAway: options.onTurnedAway })
  let inFlight = 0

  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (wasRefusedOn(incoming.socket)) return
    if (inFlight >= bridgeLimits.inFlightMax) return answerProblem(outgoing, { code: 'edge.overloaded', retryAfterSeconds: 1 }, newId())
    inFlight += 1
    outgoing.once('close', () => (inFlight -= 1))
    serve(options, url, rules, hosts, tunnels, incoming, outgoing).catch((error: unknown) => {
      options.report(error)
      if (outgoing.headersSent) outgoing.destroy()
      else answerProblem(outgoing, { code: 'gateway.fault' }, newId())
    })
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => refuseUnparsed(socket, error.code, newId()))

  return {
    url,
    port,
    close: () => stopListening(server, options.interception),
  }
}

async function serve(
  { link, newId, onTurnedAway }: BridgeOptions,
  url: string,
  rules: AdmissionRules,
  hosts: UpstreamHosts,
  tunnels: Tunnels,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const headers = pairHeaders(incoming.rawHeaders)
  const method = incoming.method ?? ''
  const arrived = { method, target: incoming.url ?? '', headers }
  const tunnel = tunnels.authorityOf(incoming.socket)
  const admitted = tunnel === undefined ? admit(rules, arrived) : admitInside(rules, tunnel, arrived)
  const origin = firstHeader(headers, 'origin')
  if (admitted.kind === 'refused') {
    onTurnedAway?.(admitted.problem.code, origin)
    return answerProblem(outgoing, admitted.problem, newId())
  }
  if (admitted.kind === 'preflight') {
    outgoing.writeHead(204, preflightHeaders(origin, firstHeader(headers, 'access-control-request-headers')).flat()).end()
    return
  }
  if (/\bwebsocket\b/i.test(firstHeader(headers, 'upgrade') ?? '')) return answerProblem(outgoing, { code: 'edge.upgrade-refused' }, newId(), origin)

  const gone = new AbortController()
  outgoing.once('close', () => gone.abort(new Error('the client went away')))
  try {
    const target = await gatewayPath(admitted, hosts)
    if (target.kind === 'refused') return answerProblem(outgoing, target.problem, newId(), origin)
    const body = bodyOf(incoming, headers)
    const answer = await link.request({
      method,
      path: target.path,
      ...headsOnward(admitted, target.path, headers, rules.secret, url),
      signal: gone.signal,
      headMsMax: bridgeLimits.answerHeadMsMax,
      idleMsMax: bridgeLimits.answerIdleMsMax,
      ...(body && { body }),
    })
    outgoing.writeHead(answer.status, [...returnedHeaders(answer.headers), ...crossOriginHeaders(origin)].flat())
    outgoing.flushHeaders() // an event stream may stay empty for long, and its client waits for the head
    await pipeline(answer.body, outgoing)
  } catch (error) {
    if (gone.signal.aborted) return
    if (outgoing.headersSent) return void outgoing.destroy()
    if (!(error instanceof Fault)) throw error
    answerProblem(outgoing, faultProblem(error), newId(), origin)
  }
}

/** What the gateway is told beside the call: where its client reached the bridge, if that goes back to it, and the client's own token at MCP addresses. */
function headsOnward(
  admitted: Exclude<Admitted, { kind: 'preflight' }>,
  target: string,
  headers: HeaderPairs,
  secret: ClientSecret,
  url: string,
): Pick<LinkRequest, 'headers' | 'ticket'> {
  const [path = ''] = target.split('?', 1)
  // Host was judged: it is one of the bridge's own names, the one by which this client knows what it calls.
  const reachedAt = [reachedAtHeader, `http://${firstHeader(headers, 'host')?.toLowerCase()}`] as const
  if (admitted.kind === 'direct' && oauthMethod(path) !== undefined) return { headers: [...loginHeaders(headers), reachedAt] }
  const onward = onwardHeaders(headers, secret)
  if (path.startsWith('/a2a/')) return { headers: [...onward, [reachedAtHeader, url]] }
  if (admitted.kind !== 'direct' || !admitted.canLogIn || !isMcpPath(path)) return { headers: onward }
  return { headers: [...onward, reachedAt], ...(admitted.token !== undefined && { ticket: admitted.token }) }
}

/** A stream of its own, since the link destroys a body that it could not send, and with it would go the connection that the refusal must take. */
function bodyOf(incoming: IncomingMessage, headers: HeaderPairs): PassThrough | undefined {
  const length = firstHeader(headers, 'content-length')
  if (firstHeader(headers, 'transfer-encoding') === undefined && (length === undefined || length === '0')) return undefined
  const body = new PassThrough()
  body.on('error', () => {}) // the exchange that it belongs to fails by itself
  incoming.once('error', (error) => body.destroy(error))
  incoming.pipe(body)
  return body
}

function startListening(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Fault(`cannot listen on ${host}:${port}: ${error.message}; choose another port with --listen`, 'not-done', error)),
    )
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

async function stopListening(server: Server, interception: Interception | undefined): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  interception?.close()
  const cut = setTimeout(() => server.closeAllConnections(), bridgeLimits.closeMsMax)
  await closed
  clearTimeout(cut)
}
