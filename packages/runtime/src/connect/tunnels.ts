import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { Fault, problemDocument, refused, type ProblemDocument } from '@sallyport/contract'
import { firstHeader, pairHeaders } from '../link/header-pairs.ts'
import { admitTunnel, type AdmissionRules } from './admit.ts'
import { writeRaw } from './answer-problem.ts'
import { faultProblem } from './fault-problem.ts'
import { upstreamAt } from './gateway-path.ts'
import type { BridgeOptions } from './bridge.ts'
import type { Interception } from './interception/interception.ts'
import { withoutDefaultPort, type UpstreamHosts } from './upstream-hosts.ts'

export interface TunnelPorts {
  readonly server: Server
  readonly rules: AdmissionRules
  readonly hosts: UpstreamHosts
  /** Undefined: no tunnel for TLS is opened. */
  readonly interception: Interception | undefined
  readonly newId: () => string
  readonly onTurnedAway?: BridgeOptions['onTurnedAway']
  readonly report: (failure: unknown) => void
}

/** The tunnels that clients have opened with CONNECT. */
export interface Tunnels {
  /** What the tunnel on this connection was opened for; undefined where there is none. */
  authorityOf(socket: Duplex): string | undefined
}

/**
 * Serves CONNECT without tunnelling: the connection ends here, as plain HTTP/1.1 under the same limits, and each request in it goes to the gateway like any other. Many
 * clients open a tunnel even for `http://` URLs; what leads nowhere in the catalog is refused before a byte is taken. TLS (port 443) ends here too where the user has made an authority for
 * it, and is refused otherwise, since nobody could judge what is in it.
 *
 * @see RFC 9110 section 9.3.6
 */
export function openTunnels({ server, rules, hosts, interception, newId, report, onTurnedAway }: TunnelPorts): Tunnels {
  const tunnels = new WeakMap<Duplex, string>()
  const busy = new WeakSet<Duplex>()

  const judge = async (incoming: IncomingMessage, socket: Duplex): Promise<ProblemDocument | { readonly authority: string }> => {
    const document = (refusal: { readonly problem: Parameters<typeof problemDocument>[0] | ProblemDocument }): ProblemDocument =>
      'instance' in refusal.problem ? refusal.problem : problemDocument(refusal.problem, newId())
    if (tunnels.has(socket)) return document(refused('edge.malformed', undefined, { detail: 'A tunnel holds requests, not another tunnel.' }))
    const headers = pairHeaders(incoming.rawHeaders)
    const admitted = admitTunnel(rules, { target: incoming.url ?? '', headers })
    if (admitted.kind === 'refused') {
      onTurnedAway?.(admitted.problem.code, firstHeader(headers, 'origin'))
      return document(admitted)
    }
    const { authority } = admitted
    const found = await upstreamAt(authority, hosts)
    if (found.kind === 'refused') return document(found)
    return isForTls(authority) && !interception?.covers(withoutDefaultPort(authority))
      ? document(refuseTls(authority, interception !== undefined))
      : { authority }
  }

  const open = async (incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const judged = await judge(incoming, socket).catch((error: unknown) => {
      if (error instanceof Fault) return problemDocument(faultProblem(error), newId())
      report(error)
      return problemDocument({ code: 'gateway.fault' }, newId())
    })
    if (socket.destroyed) return
    if (!('authority' in judged)) return writeRaw(socket, judged)
    const { authority } = judged
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) socket.unshift(head)
    // The same server parses what is inside: one parser, one set of limits, one way to the gateway.
    const serve = (inside: Duplex): void => {
      tunnels.set(inside, authority)
      server.emit('connection', inside)
    }
    if (isForTls(authority)) await interception?.open(socket, withoutDefaultPort(authority), serve)
    else serve(socket)
  }

  server.on('request', ({ socket }: IncomingMessage, outgoing: ServerResponse) => {
    busy.add(socket)
    outgoing.once('close', () => busy.delete(socket))
  })
  server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    // Pipelined behind a request: our answer could overtake the one that is due first and be taken for it.
    if (busy.has(socket)) return void socket.destroy()
    open(incoming, socket, head).catch((error: unknown) => {
      report(error)
      socket.destroy()
    })
  })

  return { authorityOf: (socket) => tunnels.get(socket) }
}

function isForTls(authority: string): boolean {
  return authority.endsWith(':443')
}

function refuseTls(authority: string, isIntercepting: boolean): ReturnType<typeof refused> {
  const host = withoutDefaultPort(authority)
  const trust = isIntercepting
    ? 'or run "sallyport connect trust" again, if it is among the hosts of the gateway now'
    : 'or let the bridge end TLS: "sallyport connect trust"'
  const detail = `Call http://${host}/ through the proxy instead of https://${host}/: TLS to the bridge would hide the call from the rules; the gateway adds TLS on the way onward; ${trust}.`
  return refused('edge.upgrade-refused', undefined, { detail })
}
