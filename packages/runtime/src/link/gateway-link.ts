import {
  Fault,
  catalogAnswer,
  oauthMethod,
  ownPaths,
  problemHeader,
  ticketHeader,
  whoamiAnswer,
  type CatalogAnswer,
  type ProblemDocument,
  type Refused,
  type WhoamiAnswer,
} from '@sallyport/contract'
import type { GatewayAddress, HeldIdentity } from '../enrolment/index.ts'
import { formatAuthority } from './authority.ts'
import type { Clock } from './clock.ts'
import { firstHeader } from './header-pairs.ts'
import type { IdentitySource } from './identity-source.ts'
import { linkLimits, Lines, type Line, type LinkRequest } from './lines.ts'
import { readJson, separateProblem, type LinkAnswer } from './read-answer.ts'
import { keepRenewed } from './renewal.ts'
import { keepSession, type SessionTrouble } from '../session/keep-session.ts'
import { refreshSession } from '../session/session-calls.ts'
import type { SessionStore } from '../session/session-files.ts'

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

export { linkLimits, type LinkRequest } from './lines.ts'

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
  const lines = new Lines(gateway, start, report)
  const adopt = async (held: HeldIdentity): Promise<void> => {
    lines.prepare(held)
    await session?.rebind()
    if (session?.holds(lines.shown.certificate) !== true) lines.showNext()
  }
  const renewal = keepRenewed(identity, start, clock, adopt, report)
  const session =
    kept &&
    keepSession({
      ...kept,
      clock,
      certificate: () => lines.newest.certificate,
      refresh: (handle) => refreshSession((asked) => lines.send(lines.newest, asked, 'own'), handle),
      catchUp: () => renewal.catchUp(),
      obtained: (certificate) => {
        if (lines.newest.certificate === certificate) lines.showNext()
      },
    })
  const ticketNow = async (): Promise<{ readonly line: Line; readonly ticket: string | undefined }> => {
    for (;;) {
      const line = lines.shown
      const ticket = await session?.ticketFor(line.certificate)
      if (line !== lines.shown) continue
      if (ticket !== undefined || line === lines.newest) return { line, ticket }
      lines.showNext() // nothing speaks for the old certificate any more
    }
  }

  const request = async (asked: LinkRequest): Promise<LinkAnswer> => {
    const passedOn = asked.ticket
    if (passedOn !== undefined) return lines.send(lines.shown, { ...asked, headers: withTicket(asked, passedOn) })
    if (!session || withoutTicket.has(asked.path) || oauthMethod(asked.path.split('?', 1)[0] ?? '') !== undefined) return lines.send(lines.shown, asked)
    const { line, ticket } = await ticketNow()
    const answer = await lines.send(line, { ...asked, headers: withTicket(asked, ticket) })
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
      await lines.close(clock)
    },
  }
}

function withTicket({ headers }: LinkRequest, ticket: string | undefined): LinkRequest['headers'] {
  const others = headers.filter(([name]) => name.toLowerCase() !== ticketHeader)
  return ticket === undefined ? others : [...others, [ticketHeader, ticket]]
}

/** What an agent asks to get a ticket or a certificate: a ticket that does not count would be in the way. */
const withoutTicket: ReadonlySet<string> = new Set([ownPaths.certificate, ownPaths.sessionClaim, ownPaths.sessionRefresh, ownPaths.sessionEnd])
