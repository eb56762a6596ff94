import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { Fault, GatheredBytes } from '@sallyport/contract'

export interface HttpAnswer {
  readonly status: number
  /** Lower case, without parameters. */
  readonly type: string
  readonly body: Uint8Array
}

export interface HttpTerms {
  readonly deadlineMs: number
  readonly answerBytesMax: number
}

/** Requests to one place, over connections that are kept, `http:` or `https:`. Redirects are answers like any other. */
export class HttpPlace {
  readonly #base: URL
  readonly #agent: PlainAgent

  /** `base`: a URL prefix, with or without a slash at its end. */
  constructor(base: string, connections: number) {
    this.#base = new URL(base.endsWith('/') ? base : `${base}/`)
    const terms = { keepAlive: true, maxSockets: connections }
    this.#agent = this.#base.protocol === 'https:' ? new TlsAgent(terms) : new PlainAgent(terms)
  }

  /** POST where there is a body, else GET. @throws Fault when no whole answer came in time, or a larger one; `unknown` for a POST */
  async ask(path: string, { deadlineMs, answerBytesMax }: HttpTerms, body?: string): Promise<HttpAnswer> {
    const url = new URL(path, this.#base)
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest
    try {
      return await new Promise((resolve, reject) => {
        const sent = send(url, { agent: this.#agent, method: body === undefined ? 'GET' : 'POST', signal: AbortSignal.timeout(deadlineMs) }, (answer) => {
          const gathered = new GatheredBytes()
          answer.on('data', (piece: Buffer) => {
            if (gathered.length + piece.length > answerBytesMax) return void sent.destroy(new Error(`it is larger than ${answerBytesMax} bytes`))
            gathered.add(piece)
          })
          answer.on('error', reject)
          answer.on('end', () => {
            const [type = ''] = (answer.headers['content-type'] ?? '').split(';')
            resolve({ status: answer.statusCode ?? 0, type: type.trim().toLowerCase(), body: gathered.take() })
          })
        })
        sent.on('error', reject)
        sent.end(body)
      })
    } catch (error) {
      throw new Fault(`no answer from ${url.href}: ${error instanceof Error ? reasonOf(error) : 'unknown'}`, body === undefined ? 'not-done' : 'unknown', error)
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

function reasonOf(error: Error): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'none in time'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
