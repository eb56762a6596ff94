import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { sizeBytes } from '@sallyport/contract'
import type { CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import type { ServerCredentials } from '../control/authority/authority.ts'
import { edgeLimits } from '../control/configuration/edge-limits.ts'
import { Capture } from '../audit/capture.ts'
import { PayloadSeal, type Payloads } from '../audit/payload.ts'
import { dataFolder, deriveKey } from '../control/data-folder.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { openDatabase } from '../drivers/sqlite/database.ts'
import { recordSeal } from '../drivers/sqlite/record-seal.ts'
import { SqliteSecretStore } from '../drivers/sqlite/secret-store.ts'
import { systemResolver } from '../drivers/system-resolver.ts'
import type { EdgeEvent } from '../edge/edge-event.ts'
import { listen } from '../edge/listen.ts'
import { mcpPorts } from '../forward/mcp/forward-mcp.ts'
import type { StdioServers } from '../forward/mcp/stdio-servers.ts'
import type { ToolSight } from '../forward/mcp/tool-sight.ts'
import { openExchanges } from '../forward/open-exchanges.ts'
import type { Delegations } from '../forward/own/serve-delegation.ts'
import type { ClientLogins } from '../forward/own/serve-client-login.ts'
import type { OwnActs, OwnSessions } from '../forward/own/serve-own.ts'
import type { PeerCredentials } from '../forward/peers/peer-trust.ts'
import { handle, type Snapshot } from '../gateway.ts'
import { readCertificate, thumbprintOf } from '../identity/certificate-identity.ts'
import { identify } from '../identity/identify.ts'
import type { Roster } from '../identity/roster.ts'
import type { TicketTrust } from '../identity/ticket-trust.ts'
import { TicketVerifier } from '../identity/verify-ticket.ts'
import type { LedgerDoor } from '../ledger.ts'
import type { RunDoor } from '../run-register.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { openTraces } from '../telemetry/open-telemetry.ts'
import { watchRequest } from '../telemetry/watch-request.ts'

export interface DataPlaneTerms {
  readonly dataFolder: string
  readonly compiled: CompiledConfiguration
  readonly version: string
  readonly roster: Roster
  readonly tickets: TicketTrust
  readonly sessions: OwnSessions
  readonly clientLogins: ClientLogins
  readonly delegations: Delegations
  readonly ledger: LedgerDoor
  readonly payloads: Payloads
  readonly tools: ToolSight
  readonly runs: RunDoor
  readonly stdio: StdioServers
  readonly renew: OwnActs['renew']
  readonly tls: ServerCredentials
  readonly address: { readonly host: string; readonly port: number }
  /** How many of these share the address and the limits of the edge. */
  readonly threads: number
  readonly now: () => number
  /** Called with the key of a call that is to be cancelled and is not in flight here. */
  readonly cancelElsewhere: (key: string) => void
  readonly report: (event: string, error: unknown) => void
}

/** One whole path of requests: edge, identity, access, forward, with the ledger in its middle. */
export interface DataPlane {
  readonly address: { readonly host: string; readonly port: number }
  readonly metrics: Metrics
  activate(compiled: CompiledConfiguration): void
  /** Ends the connections of whoever the roster refuses now. */
  cutRefused(): void
  replaceTls(tls: ServerCredentials): void
  cancel(key: string): Promise<void>
  drain(): Promise<void>
  close(): Promise<void>
}

/** @throws Error with `code` when the address cannot be had, Fault for unreadable keys */
export async function openDataPlane(terms: DataPlaneTerms): Promise<DataPlane> {
  const { roster, ledger, now, report, version } = terms
  const places = dataFolder(terms.dataFolder)
  const sealingKey = await readKeyFile(places.sealingKey)
  const sessionKey = deriveKey(sealingKey, 'session')
  const database = openDatabase(places.database)
  let peerCredentials = peerCredentialsOf(terms.tls)
  const secrets = new SqliteSecretStore(database, sealingKey, randomBytes)
  const exchanges = openExchanges(terms.compiled.definitions, {
    credentials: secrets,
    resolver: systemResolver,
    peers: {
      get credentials() {
        return peerCredentials
      },
      identify: (connection) => identify(roster, connection, now()),
    },
  })
  const metrics = new Metrics()
  const tracing = await openTraces(terms.compiled.configuration.telemetry, { version, metrics, revealShared: (name) => secrets.revealShared(name), report })
  const watch = { metrics, tracing, now: () => performance.now() }
  let compiled = terms.compiled
  let snapshot = snapshotOf(compiled, sessionKey)
  const mcp = mcpPorts({ exchanges, stdio: terms.stdio, tools: terms.tools, sessionKey, newId: randomUUID, version, cancelElsewhere: terms.cancelElsewhere })
  const ports = {
    roster,
    tickets: new TicketVerifier(terms.tickets, roster),
    ledger,
    capture: new Capture({ seal: payloadSeal(sealingKey), payloads: terms.payloads, now, report }),
    runs: terms.runs,
    newId: randomUUID,
    forward: {
      exchanges,
      mcp,
      own: {
        renew: terms.renew,
        sessions: terms.sessions,
        clientLogins: terms.clientLogins,
        catalog: () => catalogOf(compiled),
        jwks: () => terms.tickets.jwks,
      },
      delegations: terms.delegations,
    },
    observe: ({ code, upstream }: { readonly code: string; readonly upstream: string | undefined }) =>
      metrics.count('sallyport_requests_total', { code, upstream: upstream ?? 'none' }),
    report: (error: unknown) => report('request.failed', error),
  }
  const limits = edgeLimits(compiled.configuration, terms.threads)
  const closeRest = async (): Promise<void> => {
    await exchanges.close()
    await tracing?.close()
    database.close()
  }
  try {
    const edge = await listen(
      {
        ...terms.address,
        reusePort: terms.threads > 0,
        tls: terms.tls,
        limits,
        clock: now,
        newId: randomUUID,
        clientCertificates: 'required',
        agentOf,
        observe: (event) => {
          countEvent(metrics, event, report)
          if (event.kind !== 'request-refused') return
          const { code, reason, id, connection } = event
          ledger.refuse({ caller: { certificate: thumbprintOf(connection.certificate) }, code, reason, request: id })
        },
      },
      (inbound) => watchRequest(watch, ports, inbound, (watched) => handle(watched, () => snapshot, inbound)),
    )
    return {
      address: edge.address,
      metrics,
      activate: (next) => {
        exchanges.replace(next.definitions)
        mcp.links.dropAll()
        compiled = next
        snapshot = snapshotOf(next, sessionKey)
      },
      cutRefused: () => {
        edge.cut((connection) => identify(roster, connection, now()).kind === 'refused')
        exchanges.cutRefused()
      },
      replaceTls: (tls) => {
        edge.replaceTls(tls)
        peerCredentials = peerCredentialsOf(tls)
      },
      cancel: (key) => mcp.calls.cancelHere(key),
      drain: () => edge.drain(limits.drainMs),
      close: async () => {
        await edge.close()
        await closeRest()
      },
    }
  } catch (error) {
    await closeRest()
    throw error
  }
}

function peerCredentialsOf({ caller, rootsPem }: ServerCredentials): PeerCredentials {
  return { ...caller, rootsPem }
}

/** What arguments are sealed with, on each thread alike. */
export function payloadSeal(sealingKey: Uint8Array): PayloadSeal {
  return new PayloadSeal({
    keys: recordSeal(deriveKey(sealingKey, 'payload-keys'), randomBytes),
    under: (key) => recordSeal(key, randomBytes),
    digestKey: createSecretKey(deriveKey(sealingKey, 'payload-digests')),
    random: randomBytes,
  })
}

/** What any listener observes, as metrics. */
export function countEvent(metrics: Metrics, event: EdgeEvent, report: (event: string, error: unknown) => void): void {
  if (event.kind === 'connection-refused') metrics.count('sallyport_connections_refused_total', { reason: event.reason })
  if (event.kind === 'request-refused') metrics.count('sallyport_requests_total', { code: event.code, upstream: 'none' })
  if (event.kind === 'request-failed') report('request.failed', event.error)
}

function agentOf(certificate: Uint8Array): string | undefined {
  const read = readCertificate(certificate)
  return read.kind === 'refused' ? undefined : read.identity.id
}

/** Longest body or message that is read whole to be judged, where the configuration says nothing. */
const judgedBodyBytesMaxDefault = 1_048_576

function snapshotOf(compiled: CompiledConfiguration, sessionKey: Uint8Array): Snapshot {
  const { judgedBodyBytes } = compiled.configuration.limits ?? {}
  const judgedBodyBytesMax = judgedBodyBytes === undefined ? judgedBodyBytesMaxDefault : sizeBytes(judgedBodyBytes)
  const { revision, sessions, policy, upstreams, clients } = compiled
  return { revision, sessions, access: { upstreams, judgedBodyBytesMax, sessionKey, clients }, policy }
}

function catalogOf({ configuration }: CompiledConfiguration): ReturnType<OwnActs['catalog']> {
  return Object.entries(configuration.upstreams).map(([name, upstream]) => ({
    name,
    protocol: upstream.protocol,
    hosts: upstream.protocol === 'http' ? (upstream.hosts ?? []) : [],
  }))
}
