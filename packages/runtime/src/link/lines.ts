import { createHash, X509Certificate } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Fault } from '@sallyport/contract'
import type { Pool } from 'undici'
import type { GatewayAddress, HeldIdentity } from '../enrolment/index.ts'
import { formatAuthority } from './authority.ts'
import type { Clock } from './clock.ts'
import { pairHeaders, type HeaderPairs } from './header-pairs.ts'
import { linkFault } from './link-fault.ts'
import { openPool } from './pool.ts'
import type { LinkAnswer } from './read-answer.ts'

export const linkLimits = {
  inFlightMax: 128,
  /** Pools of earlier certificates that still carry an answer. */
  retiringPoolsMax: 4,
  headMsMax: 120_000,
  idleMsMax: 120_000,
  ownAnswerBytesMax: 1_048_576,
  ownAnswerMsMax: 15_000,
  closeMsMax: 2_000,
} as const

export interface LinkRequest {
  readonly method: string
  /** Origin-form, query included. */
  readonly path: string
  /** Without Host, framing and hop-by-hop fields; the link writes those. A Content-Length must be true to the body. */
  readonly headers: HeaderPairs
  readonly body?: Uint8Array | Readable
  /** A ticket that another agent has passed on, which is shown instead of that of the own session. */
  readonly ticket?: string
  /** Cancels the exchange at any point, up to the end of the answer's body. */
  readonly signal?: AbortSignal
  /** Longest wait for the head of the answer. */
  readonly headMsMax?: number
  /** Longest silence within the body of the answer. */
  readonly idleMsMax?: number
}

/** Connections that show one certificate. */
export interface Line {
  readonly pool: Pool
  /** Its thumbprint: tickets are bound to it. */
  readonly certificate: string
}

/** Connections to one gateway, as certificates come and go: what is under way on an earlier one goes on. */
export class Lines {
  readonly #gateway: GatewayAddress
  readonly #report: (failure: unknown) => void
  readonly #retiring = new Set<Pool>()
  #shown: Line
  #next: Line | undefined
  #inFlight = 0

  constructor(gateway: GatewayAddress, start: HeldIdentity, report: (failure: unknown) => void) {
    this.#gateway = gateway
    this.#report = report
    this.#shown = this.#open(start)
  }

  /** What requests show. */
  get shown(): Line {
    return this.#shown
  }

  /** Of the newest certificate, which requests may not show yet. */
  get newest(): Line {
    return this.#next ?? this.#shown
  }

  /** Makes a new certificate ready to be shown. */
  prepare(held: HeldIdentity): void {
    if (this.#next) this.#retire(this.#next)
    this.#next = this.#open(held)
  }

  showNext(): void {
    if (!this.#next) return
    this.#retire(this.#shown)
    this.#shown = this.#next
    this.#next = undefined
  }

  /**
   * @param whose requests of the link itself have a place of their own, or a busy agent could not refresh its session
   * @throws as `GatewayLink.request`
   */
  async send({ pool }: Line, { method, path, headers, body, signal, headMsMax, idleMsMax }: LinkRequest, whose?: 'own'): Promise<LinkAnswer> {
    if (whose !== 'own' && this.#inFlight >= linkLimits.inFlightMax)
      throw new Fault(`${linkLimits.inFlightMax} requests to the gateway are under way: try again later`, 'not-done')
    const share = whose === 'own' ? 0 : 1
    this.#inFlight += share
    const release = once(() => (this.#inFlight -= share))
    try {
      const answer = await pool.request({
        method,
        path,
        headers: headers.flat(),
        responseHeaders: 'raw',
        body: body ?? null,
        ...(signal && { signal }),
        headersTimeout: headMsMax ?? linkLimits.headMsMax,
        bodyTimeout: idleMsMax ?? linkLimits.idleMsMax,
      })
      answer.body.once('close', release)
      answer.body.on('error', () => {}) // whoever reads sees it; nobody may be reading any more
      return { status: answer.statusCode, headers: rawHeaders(answer.headers), body: answer.body }
    } catch (error) {
      release()
      if (signal?.aborted) throw signal.reason
      throw linkFault(error, formatAuthority(this.#gateway))
    }
  }

  /** Lets requests under way end for `closeMsMax`, then cuts them. */
  async close(clock: Pick<Clock, 'after'>): Promise<void> {
    const pools = [this.#shown.pool, ...(this.#next ? [this.#next.pool] : []), ...this.#retiring]
    const cancel = clock.after(linkLimits.closeMsMax, () => void Promise.allSettled(pools.map((each) => each.destroy())))
    await Promise.allSettled(pools.map((each) => each.close()))
    cancel()
  }

  #open(held: HeldIdentity): Line {
    const certificate = createHash('sha256').update(new X509Certificate(held.certificatePem).raw).digest('base64url')
    return { pool: openPool(this.#gateway, held, linkLimits.inFlightMax + 1), certificate }
  }

  #retire({ pool: old }: Line): void {
    this.#retiring.add(old)
    const done = (): boolean => this.#retiring.delete(old)
    old.close().then(done, done)
    const [oldest] = this.#retiring
    if (this.#retiring.size > linkLimits.retiringPoolsMax && oldest) oldest.destroy().catch(this.#report)
  }
}

/** undici gives the flat list when asked for raw headers, which its types do not know. */
function rawHeaders(headers: unknown): HeaderPairs {
  if (!Array.isArray(headers)) throw new TypeError('raw headers are a list')
  return pairHeaders(headers.map((each: unknown) => (Buffer.isBuffer(each) ? each : String(each))))
}

function once(act: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    act()
  }
}
