import { createServer, type Server } from 'node:http'

/** Health, readiness and metrics, for the host itself: no names of callers, nothing that changes anything. */
export async function listenForOperations(
  address: { readonly host: string; readonly port: number },
  ports: { readonly isReady: () => boolean; readonly metrics: () => Promise<string> },
): Promise<{ readonly port: number; close(): void }> {
  const server: Server = createServer(
    { requestTimeout: 5000, headersTimeout: 5000, connectionsCheckingInterval: 1000, maxHeaderSize: 8192 },
    (request, response) => {
      const answer = (status: number, text: string): void => void response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4' }).end(text)
      if (request.method !== 'GET') return answer(405, 'GET only\n')
      switch (request.url) {
        case '/':
          return answer(200, '/healthz  the process runs\n/readyz   calls are served: 200, otherwise 503\n/metrics  counters for Prometheus\n')
        case '/healthz':
          return answer(200, 'ok\n')
        case '/readyz':
          return ports.isReady() ? answer(200, 'ready\n') : answer(503, 'not ready\n')
        case '/metrics':
          return void ports.metrics().then(
            (text) => answer(200, text),
            () => answer(500, 'the metrics cannot be gathered\n'),
          )
        default:
          return answer(404, 'no such page: / lists them\n')
      }
    },
  )
  server.maxConnections = 64
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address.port, address.host, resolve))
  const bound = server.address()
  return { port: typeof bound === 'object' && bound ? bound.port : address.port, close: () => server.close() }
}
