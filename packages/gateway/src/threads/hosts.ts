import type { TrustDomain } from '@sallyport/contract'
import type { Payloads } from '../audit/payload.ts'
import type { CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import type { ServerCredentials } from '../control/authority/authority.ts'
import type { LiveRoster, RosterChange } from '../control/authority/live-roster.ts'
import type { ClientLoginDesk } from '../control/login/client-logins.ts'
import type { AgentSessions } from '../control/sessions/session.ts'
import type { LiveTicketTrust, TicketChange } from '../control/tickets/live-ticket-trust.ts'
import type { StdioServers } from '../forward/mcp/stdio-servers.ts'
import type { Delegations } from '../forward/own/serve-delegation.ts'
import type { OwnActs } from '../forward/own/serve-own.ts'
import type { Approval } from '../policy/approvals.ts'
import type { PinnedTool } from '../policy/tool-pins.ts'
import type { RunSight } from '../run-register.ts'
import type { Series } from '../telemetry/metrics.ts'
import type { ConfigurationText, LedgerApi } from './plane-ports.ts'

/** The ledger as the control plane uses it, on this thread or another. Rejects with Fault. */
export interface LedgerHost {
  readonly logKey: string
  readonly isAvailable: boolean
  readonly begin: (act: Parameters<LedgerApi['begin']>[0]) => Promise<void>
  readonly note: LedgerApi['note']
  readonly answerApproval: LedgerApi['answerApproval']
  readonly refuse: LedgerApi['refuse']
  approvals(): Promise<readonly Approval[]>
  tools(upstream?: string): Promise<readonly PinnedTool[]>
  readonly acceptTool: LedgerApi['acceptTool']
  readonly toolsMayHaveChanged: LedgerApi['toolsMayHaveChanged']
  size(): Promise<number>
  finish(): Promise<void>
  close(): Promise<void>
}

export interface PlanesTerms {
  readonly compiled: CompiledConfiguration
  readonly configuration: ConfigurationText
  readonly roster: LiveRoster
  readonly tickets: LiveTicketTrust
  /** Undefined: nobody can open one here. */
  readonly sessions: AgentSessions | undefined
  /** Undefined: programs cannot let anybody log in here. */
  readonly clientLogins: ClientLoginDesk | undefined
  readonly delegations: Delegations
  readonly tls: ServerCredentials
  readonly address: { readonly host: string; readonly port: number }
  readonly stdio: StdioServers
  readonly payloads: Payloads
  readonly renew: OwnActs['renew']
  readonly now: () => number
}

/** What serves agents: one data plane on this thread, or several on their own. */
export interface PlanesHost {
  readonly address: { readonly host: string; readonly port: number }
  /** Makes everything ready for a configuration, so that `activate` cannot fail. @throws Fault; nothing has changed then */
  prepare(next: ConfigurationText): Promise<void>
  /** No call is judged by the configuration of before once this resolves. */
  activate(next: CompiledConfiguration): Promise<void>
  changeRoster(change: RosterChange): void
  /** Resolves when it is in force everywhere. */
  changeTickets(change: TicketChange): Promise<void>
  /** Resolves when every change of the roster until now is in force everywhere, open connections included. */
  inForce(): Promise<void>
  replaceTls(tls: ServerCredentials): void
  series(): Promise<readonly Series[]>
  drain(): Promise<void>
  close(): Promise<void>
}

export interface Hosts {
  readonly ledger: LedgerHost
  openPlanes(terms: PlanesTerms): Promise<PlanesHost>
}

export interface HostsTerms {
  readonly dataFolder: string
  readonly trustDomain: TrustDomain
  readonly compiled: CompiledConfiguration
  readonly configuration: ConfigurationText
  readonly version: string
  readonly report: (event: string, error: unknown) => void
  /** Something about a run that an operator should hear of. */
  readonly seeRun: (sight: RunSight) => void
}
