import type { CertificateAnswer, Fault, Refused } from '@sallyport/contract'
import type { MessagePort } from 'node:worker_threads'
import type { RosterChange } from '../control/authority/live-roster.ts'
import type { ServerCredentials } from '../control/authority/authority.ts'
import type { TicketChange } from '../control/tickets/live-ticket-trust.ts'
import type { Connection } from '../edge/inbound.ts'
import type { Delegations } from '../forward/own/serve-delegation.ts'
import type { ClientLogins, SentBrowser } from '../forward/own/serve-client-login.ts'
import type { AskingClient, GrantedSession } from '../forward/own/serve-own.ts'
import type { CarriedPrincipal } from '../identity/identify.ts'
import type { AdminEvent, ApprovalEvent, GatewayEvent, SessionEvent, SignalEvent, TrustDomain } from '@sallyport/contract'
import type { Payloads, SealedPayload } from '../audit/payload.ts'
import type { RefusalSeen } from '../audit/refusal-tally.ts'
import type { Approval, Answered } from '../policy/approvals.ts'
import type { RunSight } from '../run-register.ts'
import type { PinnedTool, ToolOwner } from '../policy/tool-pins.ts'
import type { Series } from '../telemetry/metrics.ts'
import type { Accepted } from '../tool-register.ts'

/** The configuration as text, so that every thread compiles the same. */
export interface ConfigurationText {
  readonly text: string
  readonly fileName: string
  readonly folder: string
  /** What it must come to. @see CompiledConfiguration.revision */
  readonly revision: string
}

/** What a thread of the gateway cannot do by itself. */
export interface MainApi {
  renew(principal: CarriedPrincipal, csrPem: string): Promise<CertificateAnswer | Refused>
  /** `id` names the call, by which its caller can be said to have gone away. */
  claimSession(id: string, shown: Connection): Promise<GrantedSession | Refused>
  refreshSession(id: string, shown: Connection, handle: string, client: AskingClient | undefined): Promise<GrantedSession | Refused>
  endSession(id: string, shown: Connection, handle: string, client: AskingClient | undefined): Promise<'ended' | Refused>
  authorizeClient(id: string, shown: Connection, asked: Parameters<ClientLogins['authorize']>[1]): Promise<SentBrowser | Refused>
  exchangeCode(id: string, shown: Connection, asked: Parameters<ClientLogins['exchange']>[1]): Promise<GrantedSession | Refused>
  leaveSession(id: string): void
  keepPayload(payload: SealedPayload): ReturnType<Payloads['keep']>
  dropPayload(digest: string): Promise<void>
  readonly delegate: Delegations['delegate']
  readonly introduce: Delegations['introduce']
  /** A call that another thread may have in flight is to be cancelled there. */
  cancelElsewhere(key: string): void
  report(event: string, message: string): void
}

/** What the ledger's thread tells the main one. */
export interface LedgerNews extends Pick<MainApi, 'report'> {
  seeRun(sight: RunSight): void
}

export interface PlaneApi {
  /** Compiles, so that `activate` cannot fail. */
  prepare(configuration: ConfigurationText): Promise<void>
  activate(revision: string): void
  /** In force, open connections included, when it is answered. */
  changeRoster(changes: readonly RosterChange[]): void
  /** In force when it is answered. */
  changeTickets(changes: readonly TicketChange[]): void
  replaceTls(tls: ServerCredentials): void
  cancel(key: string): Promise<void>
  series(): readonly Series[]
  /** Permits whose outcome this thread will tell. */
  held(): readonly number[]
  drain(): Promise<void>
  close(): Promise<void>
}

export interface LedgerApi {
  begin(act: Pick<GatewayEvent, 'act' | 'version' | 'revision'>, held: readonly number[]): Promise<void>
  note(
    act: Omit<AdminEvent, 'v' | 'time'> | Omit<SessionEvent, 'v' | 'time'> | Omit<SignalEvent, 'v' | 'time'> | Omit<GatewayEvent, 'v' | 'time'>,
  ): Promise<number>
  answerApproval(approval: string, answer: ApprovalEvent['answer'], person: string, note?: string): Promise<Answered>
  approvals(): readonly Approval[]
  /** Counts what no data plane refused. */
  refuse(seen: RefusalSeen): void
  tools(upstream?: string): readonly PinnedTool[]
  acceptTool(owner: ToolOwner, tool: string, digest: string, person: string): Promise<Accepted>
  /** A child says so, or only may have others, since it has ended. */
  toolsMayHaveChanged(owner: ToolOwner, isAnnounced: boolean): void
  size(): number
  prepare(configuration: ConfigurationText): Promise<void>
  /** Calls are not judged by this revision any more. */
  retire(revision: string): void
  finish(): Promise<void>
  close(): Promise<void>
}

export interface PlaneStart {
  readonly dataFolder: string
  readonly configuration: ConfigurationText
  readonly trustDomain: TrustDomain
  readonly version: string
  readonly roster: readonly RosterChange[]
  readonly tickets: readonly TicketChange[]
  readonly tls: ServerCredentials
  readonly address: { readonly host: string; readonly port: number }
  /** How many threads share the limits of the edge. */
  readonly threads: number
  readonly ports: { readonly control: MessagePort; readonly main: MessagePort; readonly stdio: MessagePort }
}

export interface LedgerStart {
  readonly dataFolder: string
  readonly configuration: ConfigurationText
  readonly version: string
  readonly control: MessagePort
  readonly main: MessagePort
}

/** What a thread says of itself, unasked. */
export type ThreadNews =
  | { readonly kind: 'up'; readonly logKey?: string }
  | { readonly kind: 'not-up'; readonly message: string; readonly outcome: Fault['outcome'] }
  | { readonly kind: 'unfit' }
