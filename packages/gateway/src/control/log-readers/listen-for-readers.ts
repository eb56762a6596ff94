import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { parseTilePath, type TileResource } from '@sallyport/contract/log'
import type { ServedLog } from '../../audit/served-log.ts'

export const readerLimits = { connections: 64, answers: 16, headBytes: 8192, headMs: 5_000, idleMs: 30_000, answerMs: 60_000 } as const
/** Shorter ones gain nothing from being compressed. */
const gzipBytesMin = 1_024

const compress = promisify(gzip)

interface Found {
  readonly type: string
  readonly cache: string
  readonly bytes: Uint8Array
  readonly isCompressible: boolean
}

export interface ReaderPorts {
  readonly log: ServedLog
  /** The names under which readers reach this listener, beside IP addresses and localhost. */
  readonly names: readonly string[]
  readonly observe: (status: number) => void
  readonly report: (fault: unknown) => void
}

/**
 * The log for outsiders, as tlog-tiles: whoever reaches this listener reads every entry.
 *
 * A page in a browser that had its own name point here (DNS rebinding) is refused by the Host it sends, and no other origin is allowed to read.
 *
 * @see https://c2sp.org/tlog-tiles
 */
export async function listenForReaders(
  address: { readonly host: string; readonly port: number },
  ports: ReaderPorts,
): Promise<{ readonly port: number; close(): void }> {
  const { headBytes, headMs, idleMs, connections } = readerLimits
  const desk = new ReadingDesk(ports)
  const server = createServer(
    { maxHeaderSize: headBytes, headersTimeout: headMs, requestTimeout: headMs, connectionsCheckingInterval: 1_000 },
    (request, response) => desk.serve(request, response),
  )
  server.maxConnections = connections
  server.timeout = idleMs
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address.port, address.host, resolve))
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : address.port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

class ReadingDesk {
  readonly #ports: ReaderPorts
  #inHand = 0

  constructor(ports: ReaderPorts) {
    this.#ports = ports
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('x-content-type-options', 'nosniff')
    const objection = this.#objection(request)
    if (objection) return this.#refuse(response, ...objection)
    this.#inHand += 1
    const late = setTimeout(() => response.destroy(), readerLimits.answerMs)
    response.once('close', () => {
      clearTimeout(late)
      this.#inHand -= 1
    })
    void this.#answer(request, response).catch((fault: unknown) => {
      this.#ports.report(fault)
      if (!response.headersSent) this.#refuse(response, 500, 'the log cannot be read now')
      else response.destroy()
    })
  }

  #objection({ method, headers }: IncomingMessage): readonly [number, string] | undefined {
    if (method !== 'GET' && method !== 'HEAD') return [405, 'GET and HEAD only']
    if (!isOwnHost(headers.host, this.#ports.names)) return [421, 'this is not the name of a gateway: add it to "names" in its configuration']
    return this.#inHand >= readerLimits.answers ? [503, 'too many are reading: try again'] : undefined
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found = await this.#find(request.url ?? '')
    if (!found) return this.#refuse(response, 404, 'the log has no such file, or no checkpoint covers it yet')
    // Whoever asks for the head alone gets it without the work of packing what is not sent.
    const isGzip = request.method === 'GET' && found.isCompressible && found.bytes.length >= gzipBytesMin && acceptsGzip(request)
    const body = isGzip ? await compress(found.bytes) : found.bytes
    response.writeHead(200, {
      'content-type': found.type,
      'cache-control': found.cache,
      'content-length': body.length,
      ...(found.isCompressible && { vary: 'accept-encoding' }),
      ...(isGzip && { 'content-encoding': 'gzip' }),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
    this.#ports.observe(200)
  }

  async #find(url: string): Promise<Found | undefined> {
    const { log } = this.#ports
    if (url === '/checkpoint') {
      const text = await log.checkpoint()
      return text === undefined ? undefined : { type: 'text/plain; charset=utf-8', cache: 'no-cache', bytes: Buffer.from(text), isCompressible: false }
    }
    const resource: TileResource | undefined = url.startsWith('/') ? parseTilePath(url.slice(1)) : undefined
    const bytes = resource && (await log.read(resource))
    // Not "public": behind a proxy that asks for credentials, a shared cache must not keep entries for everyone.
    return bytes && { type: 'application/octet-stream', cache: 'max-age=31536000, immutable', bytes, isCompressible: resource.kind === 'entries' }
  }

  #refuse(response: ServerResponse, status: number, text: string): void {
    const body = Buffer.from(`${text}\n`)
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': body.length,
      ...(status === 405 && { allow: 'GET, HEAD' }),
      ...(status === 503 && { 'retry-after': '1' }),
      ...(status >= 405 && { connection: 'close' }),
    })
    response.end(body)
    this.#ports.observe(status)
  }
}

function isOwnHost(host: string | undefined, names: readonly string[]): boolean {
  const name = host?.replace(/:[0-9]{1,5}$/, '').toLowerCase() ?? ''
  return name === 'localhost' || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || names.some((own) => own.toLowerCase() === name)
}

function acceptsGzip({ headers }: IncomingMessage): boolean {
  return /(?:^|,)\s*gzip\s*(?:$|,|;\s*q=(?:1|0\.[0-9]*[1-9]))/i.test(headers['accept-encoding'] ?? '')
}
