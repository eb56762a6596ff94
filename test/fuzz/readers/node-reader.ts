import { createServer, type IncomingMessage } from 'node:http'
import { atRest, DeafCaller, readRequest, type ReadRequest } from './connection.ts'

/** The requests that Node's own HTTP server takes for whole in what one caller sends. */
export async function readByNode(sent: Uint8Array): Promise<readonly ReadRequest[]> {
  const begun: { readonly request: IncomingMessage; readonly body: Uint8Array[] }[] = []
  let steps = 0
  const server = createServer({ maxHeaderSize: 65_536, insecureHTTPParser: false, keepAliveTimeout: 0, requireHostHeader: true }, (request, response) => {
    const body: Uint8Array[] = []
    begun.push({ request, body })
    request.on('data', (piece: Uint8Array) => {
      body.push(piece)
      steps += 1
    })
    request.on('error', () => undefined)
    request.on('end', () => response.end())
  })
  // Bytes behind the last request are an error to Node, too; what it has read before them it has read.
  server.on('clientError', () => undefined)
  const caller = new DeafCaller()
  caller.on('error', () => undefined)
  server.emit('connection', caller)
  caller.push(sent)
  await atRest(caller, () => steps + begun.length)
  caller.destroy()
  return begun
    .filter(({ request }) => request.complete)
    .map(({ request: { method = '', url = '', rawHeaders }, body }) => readRequest(method, url, linesOf(rawHeaders), body))
}

function linesOf(raw: readonly string[]): ReadRequest['headers'] {
  const lines: (readonly [string, string])[] = []
  for (let index = 0; index < raw.length; index += 2) lines.push([(raw[index] ?? '').toLowerCase(), raw[index + 1] ?? ''])
  return lines
}
