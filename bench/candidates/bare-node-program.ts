/** The shortest proxy that Node's own server and undici make. */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { Pool, type Dispatcher } from 'undici'
import { z } from 'zod'

const terms = z.object({ cert: z.string(), key: z.string(), ca: z.string(), upstreamPort: z.number() })
const { cert, key, ca, upstreamPort } = terms.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')))
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 64, pipelining: 1 })

const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', keepAliveTimeout: 600_000 }, pass)
server.listen(0, '127.0.0.1', 1024, () => {
  const address = server.address()
  if (typeof address === 'object') process.send?.(address?.port)
})
process.on('disconnect', () => process.exit())

function pass(request: IncomingMessage, response: ServerResponse): void {
  const { method = 'GET', url = '/', headers } = request
  const { host: _host, connection: _connection, ...passed } = headers
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => undefined,
    onResponseStart: (_controller, status, { connection: _own, 'keep-alive': _kept, 'transfer-encoding': _framing, ...answered }) =>
      void response.writeHead(status, answered),
    onResponseData: (controller, piece) => {
      if (response.write(piece)) return
      controller.pause()
      response.once('drain', () => controller.resume())
    },
    onResponseEnd: () => void response.end(),
    onResponseError: () => void response.destroy(),
  }
  pool.dispatch({ method, path: url, headers: passed, body: method === 'GET' ? null : request }, handler)
}
