import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { problemDocument, problems, type Problem, type ProblemDocument } from '@sallyport/contract'
import type { HeaderPairs } from '../link/header-pairs.ts'
import { crossOriginHeaders } from './cross-origin.ts'

const refusedOn = new WeakSet<Duplex>()

/** Whether a request on this connection was refused: what still comes on it may be a part of that request, and is not read as another one. */
export function wasRefusedOn(socket: Duplex): boolean {
  return refusedOn.has(socket)
}

/** Answers with a problem document and closes the connection. */
export function answerProblem(outgoing: ServerResponse, problem: Problem | ProblemDocument, id: string, origin?: string): void {
  const document = 'instance' in problem ? problem : problemDocument(problem, id)
  const body = JSON.stringify(document)
  refusedOn.add(outgoing.req.socket)
  outgoing.writeHead(document.status, [...problemHeaders(document, body), ...crossOriginHeaders(origin)].flat())
  outgoing.end(outgoing.req.method === 'HEAD' ? undefined : body)
}

function problemHeaders({ code, retryAfterSeconds }: ProblemDocument, body: string): HeaderPairs {
  return [
    ['content-type', 'application/problem+json'],
    ['content-length', String(Buffer.byteLength(body))],
    ['cache-control', 'no-store'],
    ['connection', 'close'],
    ...(retryAfterSeconds === undefined ? [] : [['retry-after', String(retryAfterSeconds)] as const]),
    ...(code === 'connect.secret-required' ? [['www-authenticate', 'Bearer realm="sallyport connect"'] as const] : []),
    ...(code === 'connect.proxy-secret-required' ? [['proxy-authenticate', 'Basic realm="sallyport connect"'] as const] : []),
  ]
}

/** Answers bytes that are no request. */
export function refuseUnparsed(socket: Duplex, code: string | undefined, id: string): void {
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const problem = code === 'HPE_HEADER_OVERFLOW' ? 'edge.too-large' : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'edge.timeout' : 'edge.malformed'
  writeRaw(socket, problemDocument({ code: problem }, id))
}

/** Answers on a socket that node's server has let go of. */
export function writeRaw(socket: Duplex, document: ProblemDocument): void {
  const body = JSON.stringify(document)
  const lines = problemHeaders(document, body).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${document.status} ${problems[document.code].title}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy())
}
