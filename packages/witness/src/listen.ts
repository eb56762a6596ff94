import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { GatheredBytes } from '@sallyport/contract'
import { originHash } from './store-folder.ts'
import type { Witness, WitnessAnswer } from './witness.ts'

/** A body holds 63 hashes and a checkpoint, whose signatures may be of 5 kB each. */
export const witnessLimits = { connections: 256, answers: 64, bodyBytes: 262_144, headBytes: 8_192, requestMs: 10_000, idleMs: 30_000 } as const

export interface WitnessPorts {
  readonly witness: Witness
  readonly origins: readonly string[]
  readonly report: (fault: unknown) => void
}

interface Said {
  readonly status: number
  readonly type: string
  readonly text: string
}

/**
 * The submission and the monitoring prefix, which are one: `POST /add-checkpoint` and `GET /<hash of origin>/checkpoint`. Everything given away is public, and
 * what is submitted is judged by its signatures, so nobody has to say who they are.
 *
 * @see https://c2sp.org/tlog-witness
 */
export async function listenAsWitness(
  address: { readonly host: string; readonly port: number },
  ports: WitnessPorts,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const { headBytes, requestMs, idleMs, connections, answers } = witnessLimits
  let inHand = 0
  const byHash = new Map(ports.origins.map((origin) => [originHash(origin), origin]))
  const server = createServer(
    { maxHeaderSize: headBytes, headersTimeout: requestMs, requestTimeout: requestMs, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      // One connection can send any number of requests without waiting for an answer.
      if (inHand >= answers) return say(response, plain(503, 'too many ask: try again'))
      inHand += 1
      answer(request, ports.witness, byHash)
        .then(
          (said) => say(response, said),
          (fault: unknown) => {
            if (request.errored) return // who asked has gone, which is no fault of the witness
            ports.report(fault)
            say(response, plain(500, 'the witness cannot answer now'))
          },
        )
        .finally(() => (inHand -= 1))
    },
  )
  server.maxConnections = connections
  server.timeout = idleMs
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address.port, address.host, resolve))
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage, witness: Witness, byHash: ReadonlyMap<string, string>): Promise<Said> {
  const { method, url = '' } = request
  if (url === '/add-checkpoint') {
    if (method !== 'POST') return plain(405, 'POST only')
    const body = await readBody(request)
    return body ? inHttp(await witness.add(body)) : plain(413, `a submission has at most ${witnessLimits.bodyBytes} bytes`)
  }
  const [, hash = ''] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? []
  if (hash === '') return plain(404, 'there is POST /add-checkpoint, and GET /<SHA-256 of the origin>/checkpoint')
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'GET only')
  const origin = byHash.get(hash)
  const note = origin === undefined ? undefined : await witness.newest(origin)
  return note === undefined ? plain(404, 'no checkpoint of this log was cosigned') : { status: 200, type: 'text/plain; charset=utf-8', text: note }
}

function inHttp(given: WitnessAnswer): Said {
  switch (given.status) {
    case 200:
      return { status: 200, type: 'text/plain; charset=utf-8', text: given.lines }
    case 409:
      return { status: 409, type: 'text/x.tlog.size', text: `${given.size}\n` }
    case 400:
    case 403:
    case 404:
    case 422:
      return plain(given.status, given.reason)
  }
}

function plain(status: number, text: string): Said {
  return { status, type: 'text/plain; charset=utf-8', text: `${text}\n` }
}

function say(response: ServerResponse, { status, type, text }: Said): void {
  const body = Buffer.from(text)
  const isUnread = status === 413 || status === 405 || status === 503 // of what may still come nothing is read
  response.writeHead(status, {
    'content-type': type,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(isUnread && { connection: 'close' }),
    ...(status === 503 && { 'retry-after': '1' }),
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** Undefined for a body that is too large. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const gathered = new GatheredBytes()
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    if (gathered.length + piece.length > witnessLimits.bodyBytes) return undefined
    gathered.add(piece)
  }
  return gathered.take()
}
