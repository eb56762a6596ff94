import { createHash, X509Certificate } from 'node:crypto'
import type { Readable } from 'node:stream'
import {
  Fault,
  catalogAnswer,
  ownPaths,
  problemHeader,
  ticketHeader,
  whoamiAnswer,
  type CatalogAnswer,
  type ProblemDocument,
  type Refused,
  type WhoamiAnswer,
} from '@sallyport/contract'
import type { Pool } from 'undici'
import type { GatewayAddress, HeldIdentity } from '../enrolment/index.ts'
import { formatAuthority } from './authority.ts'
import type { Clock } from './clock.ts'
import { firstHeader, pairHeaders, type HeaderPairs } from './header-pairs.ts'
import type { IdentitySource } from './identity-source.ts'
import { linkFault } from './link-fault.ts'
import { openPool } from './pool.ts'
import { readJson, separateProblem, type LinkAnswer } from './read-answer.ts'
import { keepRenewed } from './renewal.ts'
import { keepSession, type SessionTrouble } from '../session/keep-session.ts'
import { refreshSession } from '../session/session-calls.ts'
import type { SessionStore } from '../session/session-files.ts'

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
  /** Cancels the exchange at any point, up to the end of the answer's body. */
  readonly signal?: AbortSignal
  /** Longest wait for the head of the answer. */
  readonly headMsMax?: number
  /** Longest silence within the body of the answer. */
  readonly idleMsMax?: number
}

/** What the gateway answered instead of the thing asked for. */
export interface RefusedByGateway {
  readonly kind: 'refused'
  readonly problem: ProblemDocument
}

/** The agent's connection to its gateway. */
export interface GatewayLink {
  readonly gateway: GatewayAddress
  /**
   * Sends one request and resolves with the head of the answer, whatever its status; the body streams with backpressure.
   *
   * @throws Fault `not-done` when the gateway was not reached, did not prove who it is, refused the certificate or `inFlightMax` requests are under way; `unknown`
   * when the connection failed later. @throws the signal's reason after a cancel.
   */
  request(request: LinkRequest): Promise<LinkAnswer>
  whoami(): Promise<RefusedByGateway | { readonly kind: 'whoami'; readonly whoami: WhoamiAnswer }>
  catalog(): Promise<RefusedByGateway | { readonly kind: 'catalog'; readonly catalog: CatalogAnswer }>
  /** Renews the certificate at once; requests from then on show the new one, those under way go on. */
  renew(): Promise<Refused | { readonly kind: 'renewed'; readonly held: HeldIdentity }>
  /** Lets requests under way end for `closeMsMax`, then cuts them. */
  close(): Promise<void>
}

export interface LinkOptions {
  readonly identity: IdentitySource
  /** If not the one that was written down at the enrolment. */
  readonly gateway?: GatewayAddress
  readonly clock: Clock
  /** A session to keep fresh and to show, once there is one in the store. */
  readonly session?: { readonly store: SessionStore; /** From 0 up to 1. */ readonly random: () => number; readonly report: (trouble: SessionTrouble) => void }
  /** A failed renewal or an unexpected end, for the operator's eyes. */
  readonly report: (failure: unknown) => void
}

/** Connections that show one certificate. */
interface Line {
  readonly pool: Pool
  /** Its thumbprint: tickets are bound to it. */
  readonly certificate: string
}

/**
 * Opens the link, and keeps its certificate renewed and its session refreshed in the background. Connections are made when they are needed.
 *
 * A ticket counts under one certificate. So after a renewal requests show the old certificate and its ticket until there is a ticket for the new one, or the old
 * ticket has ended.
 *
 * @throws Fault when there is no usable identity.
 */
export async function openLink({ identity, gateway: given, clock, session: kept, report }: LinkOptions): Promise<GatewayLink> {
  const start = await identity.load()
  const gateway = given ?? start.gateway
  const authority = formatAuthority(gateway)
  const lineOf = (held: HeldIdentity): Line => ({ pool: openPool(gateway, held, linkLimits.inFlightMax), certificate: thumbprintOf(held.certificatePem) })
  let shown = lineOf(start)
  /** Of a certificate that requests do not show yet. */
  let next: Line | undefined
  let inFlight = 0
  const retiring = new Set<Pool>()

  const retire = ({ pool: old }: Line): void => {
    retiring.add(old)
    const done = (): boolean => retiring.delete(old)
    old.close().then(done, done)
    const [oldest] = retiring
    if (retiring.size > linkLimits.retiringPoolsMax && oldest) oldest.destroy().catch(report)
  }
  const showNext = (): void => {
    if (!next) return
    retire(shown)
    shown = next
    next = undefined
  }
  const adopt = async (held: HeldIdentity): Promise<void> => {
    if (next) retire(next)
    next = lineOf(held)
    await session?.rebind()
    if (session?.holds(shown.certificate) !== true) showNext()
  }
  const renewal = keepRenewed(identity, start, clock, adopt, report)

  const send = async (line: Line, { method, path, headers, body, signal, headMsMax, idleMsMax }: LinkRequest): Promise<LinkAnswer> => {
    if (inFlight >= linkLimits.inFlightMax) throw new Fault(`${linkLimits.inFlightMax} requests to the gateway are under way: try again later`, 'not-done')
    inFlight += 1
    const release = once(() => (inFlight -= 1))
    try {
      const answer = await line.pool.request({
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
      throw linkFault(error, authority)
    }
  }

  const session =
    kept &&
    keepSession({
      ...kept,
      clock,
      certificate: () => (next ?? shown).certificate,
      refresh: (handle) => refreshSession((request) => send(next ?? shown, request), handle),
      catchUp: () => renewal.catchUp(),
      obtained: (certificate) => {
        if (next?.certificate === certificate) showNext()
      },
    })
  /** Once a ticket has ended, nothing speaks for the old certificate any more. */
  const ticketNow = async (): Promise<{ readonly line: Line; readonly ticket: string | undefined }> => {
    for (;;) {
      const line = shown
      const ticket = await session?.ticketFor(line.certificate)
      if (line === shown && (ticket !== undefined || !next)) return { line, ticket }
      if (line === shown) showNext()
    }
  }

  const request = async (given: LinkRequest): Promise<LinkAnswer> => {
    if (!session || withoutTicket.has(given.path)) return send(shown, given)
    const { line, ticket } = await ticketNow()
    const headers = given.headers.filter(([name]) => name.toLowerCase() !== ticketHeader)
    const answer = await send(line, { ...given, headers: ticket === undefined ? headers : [...headers, [ticketHeader, ticket]] })
    if (ticket !== undefined && firstHeader(answer.headers, problemHeader) === 'identity.ticket-invalid') session.doubt(ticket)
    return answer
  }

  const ask = async <Value>(path: string, parse: (value: unknown) => Value | undefined): Promise<RefusedByGateway | Value> => {
    const answer = await request({
      method: 'GET',
      path,
      headers: [['accept', 'application/json']],
      headMsMax: linkLimits.ownAnswerMsMax,
      idleMsMax: linkLimits.ownAnswerMsMax,
    })
    const separated = await separateProblem(answer)
    if (separated.kind === 'refused') return separated
    const value = parse(await readJson(separated.answer, linkLimits.ownAnswerBytesMax))
    if (answer.status !== 200 || value === undefined) throw new Fault(`${authority} answered ${path} as no gateway does: is another program there?`, 'unknown')
    return value
  }

  return {
    gateway,
    request,
    whoami: () =>
      ask(ownPaths.whoami, (value) => {
        const parsed = whoamiAnswer.safeParse(value)
        return parsed.success ? { kind: 'whoami' as const, whoami: parsed.data } : undefined
      }),
    catalog: () =>
      ask(ownPaths.catalog, (value) => {
        const parsed = catalogAnswer.safeParse(value)
        return parsed.success ? { kind: 'catalog' as const, catalog: parsed.data } : undefined
      }),
    renew: renewal.now,
    close: async () => {
      renewal.stop()
      session?.stop()
      const pools = [shown.pool, ...(next ? [next.pool] : []), ...retiring]
      const cancel = clock.after(linkLimits.closeMsMax, () => void Promise.allSettled(pools.map((each) => each.destroy())))
      await Promise.allSettled(pools.map((each) => each.close()))
      cancel()
    },
  }
}

/** What an agent asks to get a ticket or a certificate: a ticket that does not count would be in the way. */
const withoutTicket: ReadonlySet<string> = new Set([ownPaths.certificate, ownPaths.sessionClaim, ownPaths.sessionRefresh, ownPaths.sessionEnd])

function thumbprintOf(certificatePem: string): string {
  return createHash('sha256').update(new X509Certificate(certificatePem).raw).digest('base64url')
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
