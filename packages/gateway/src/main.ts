import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { durationMs, Fault, parseTrustDomain, refused, sizeBytes, type Configuration } from '@sallyport/contract'
import { ed25519Signer, logKeyText } from './audit/log-key.ts'
import { readForward } from './audit/reader.ts'
import { openLog } from './audit/sequencer.ts'
import { openAuthority } from './control/authority/authority.ts'
import { handleEnrolment } from './control/authority/handle-enrolment.ts'
import { keepServerCertificateFresh } from './control/authority/renew-server-certificate.ts'
import { openPrivateFolder } from './control/authority/private-files.ts'
import { listenForAdmin } from './control/admin/listen.ts'
import { compileConfiguration, type CompiledConfiguration } from './control/configuration/compile-configuration.ts'
import { formatFault } from './control/configuration/configuration-fault.ts'
import { dataFolder, deriveKey, keptCheckpoint, makeDataFolder, readLogKey } from './control/data-folder.ts'
import { listenForOperations } from './control/operations.ts'
import { createKeyFile, readKeyFile } from './drivers/key-file/key-file.ts'
import { openLogFolder, viewLogFolder } from './drivers/posix-log/log-folder.ts'
import { SqliteAgentStore } from './drivers/sqlite/agent-store.ts'
import { openDatabase } from './drivers/sqlite/database.ts'
import { SqliteHeldCalls } from './drivers/sqlite/held-calls.ts'
import { SqliteSecretStore } from './drivers/sqlite/secret-store.ts'
import { runStdioServers } from './drivers/stdio-server/run-stdio-servers.ts'
import { stdioServerSettings, type StdioServerSettings } from './drivers/stdio-server/stdio-server-settings.ts'
import { defaultEdgeLimits, type EdgeLimits } from './edge/limits.ts'
import { listen } from './edge/listen.ts'
import { problemAnswer } from './edge/problem-answer.ts'
import { mcpPorts } from './forward/mcp/forward-mcp.ts'
import { openExchanges } from './forward/open-exchanges.ts'
import { systemResolver } from './forward/system-resolver.ts'
import { handle, type Snapshot } from './gateway.ts'
import { readCertificate, thumbprintOf } from './identity/certificate-identity.ts'
import { Ledger } from './ledger.ts'
import { PolicyState, replay } from './policy/state.ts'
import { Metrics } from './telemetry/metrics.ts'

export const version = '0.1.0'

/** For decisions and exchanges that a drained edge has cut off to get their entries. */
const finishDeadlineMs = 5_000
/** How often counts of refusals whose time is over are written. */
const countsEveryMs = 10_000

/** What a reload leaves as it is: it says so in its answer. */
const readAtStart = ['trustDomain', 'listen', 'enrolment', 'operations', 'names', 'certificates', 'limits'] as const

export interface GatewayOptions {
  /** `sallyport.yaml`; the files that it names lie beside it. */
  readonly configurationFile: string
  readonly dataFolder: string
  /** Something went wrong inside; for the operator's own log. Never holds a secret. */
  readonly report: (event: string, error: unknown) => void
}

export interface RunningGateway {
  readonly addresses: { readonly agents: string; readonly enrolment: string | undefined; readonly operations: string | undefined }
  /** What a verifier of the log needs. */
  readonly logKey: string
  /** Refuses new requests, lets those in flight finish, writes their outcomes, closes the log. */
  stop(): Promise<void>
}

/** Makes what a gateway needs before its first start; safe to repeat. @throws Fault */
export async function initialise(folder: string, trustDomainText: string): Promise<void> {
  const trustDomain = parseTrustDomain(trustDomainText)
  if (!trustDomain) throw new Fault(`${trustDomainText} is not a trust domain: use a DNS name in lower case`, 'not-done')
  await makeDataFolder(folder, trustDomain, { now: Date.now(), random: randomBytes, createSealingKey: (path) => createKeyFile(path, randomBytes) })
}

/** Reads and compiles a configuration file. @throws Fault whose message shows every fault and its place */
export async function loadConfiguration(file: string): Promise<CompiledConfiguration> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new Fault(`${basename(file)} cannot be read; run "sallyport init" first`, 'not-done', error)
  }
  const compiled = await compileConfiguration({ text, fileName: basename(file) }, dirname(file))
  if (compiled.kind === 'invalid') throw new Fault(compiled.faults.map(formatFault).join('\n'), 'not-done')
  return compiled
}

/** The composition root: chooses clock, randomness, drivers and sockets, and joins them to the story. @throws Fault when it cannot start; nothing then runs */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const places = dataFolder(options.dataFolder)
  const closing: (() => Promise<void> | void)[] = []
  const stopAll = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close()
  }
  try {
    const first = await loadConfiguration(options.configurationFile)
    await openPrivateFolder(options.dataFolder)
    let compiled = first
    const sealingKey = await readKeyFile(places.sealingKey)
    const sessionKey = deriveKey(sealingKey, 'session')
    const database = openDatabase(places.database)
    closing.push(() => database.close())
    const secrets = new SqliteSecretStore(database, sealingKey, randomBytes)

    const metrics = new Metrics()
    let isReady = false
    const journalKey = createSecretKey(deriveKey(sealingKey, 'journal'))
    const signer = ed25519Signer(await readLogKey(options.dataFolder), `${compiled.configuration.trustDomain}/sallyport`, journalKey)
    const { log, recovered } = await openLog(await openLogFolder(places.log), signer, {
      kept: keptCheckpoint(options.dataFolder),
      onUnavailable: (fault) => {
        isReady = false
        options.report('log.unavailable', fault)
      },
    })
    closing.push(() => log.close())
    let latest = recovered.lastTime === undefined ? 0 : Date.parse(recovered.lastTime)
    // Entries are in the order of their times, whatever the system's clock does.
    const now = (): number => (latest = Math.max(latest, Date.now()))

    const state = new PolicyState()
    const open = new Set<number>()
    for await (const { index, event } of readForward(viewLogFolder(places.log))) {
      replay(state, event, compiled.policy)
      if (event.type === 'decision' && event.decision === 'permit') open.add(index)
      if (event.type === 'outcome') open.delete(event.decision)
      if (event.type === 'gateway' && event.act === 'started') open.clear()
    }
    const heldCalls = new SqliteHeldCalls(database, sealingKey, randomBytes, now)
    const ledger = new Ledger({
      log,
      state,
      heldCalls,
      digestKey: createSecretKey(deriveKey(sealingKey, 'call-digest')),
      now,
      newApprovalId: () => randomBytes(8).toString('hex'),
      lost: (fault) => options.report('entry.lost', fault),
    })
    const counting = setInterval(() => ledger.writeCounts(), countsEveryMs).unref()
    closing.push(() => clearInterval(counting))
    const unanswered = [...open].slice(0, 1000)
    await ledger.note({ type: 'gateway', act: 'started', version, revision: compiled.revision, ...(unanswered.length > 0 && { unanswered }) })

    const authority = await openAuthority({
      directory: places.authority,
      store: new SqliteAgentStore(database),
      names: compiled.configuration.names ?? ['localhost', '127.0.0.1'],
      certificateLifetimeMs: durationMs(compiled.configuration.certificates?.lifetime ?? '12h'),
      tokenLifetimeMs: durationMs(compiled.configuration.certificates?.enrolmentToken ?? '15m'),
      gatewayAddress: compiled.configuration.listen ?? '127.0.0.1:8443',
      note: (act) => ledger.note(act),
      now,
      random: randomBytes,
    })
    if (authority.trustDomain !== compiled.configuration.trustDomain) throw new Fault('trustDomain differs from the one that init made', 'not-done')
    closing.push(keepServerCertificateFresh(authority, now, (fault) => options.report('server-certificate', fault)))

    const exchanges = openExchanges(compiled.definitions, { credentials: secrets, resolver: systemResolver })
    closing.push(() => exchanges.close())
    let settings = stdioSettings(compiled.configuration)
    const stdio = runStdioServers({
      settings: (upstream) => settings.get(upstream),
      reveal: (tenant, name) => secrets.reveal(tenant, name),
      version,
      now,
      temporaryFolder: tmpdir(),
      report: (fault) => options.report('stdio-server', fault),
    })
    closing.push(() => stdio.close())

    let snapshot = snapshotOf(compiled, sessionKey)
    const ports = {
      roster: authority.roster,
      ledger,
      forward: {
        exchanges,
        mcp: mcpPorts({ exchanges, stdio, sessionKey, newId: randomUUID, version }),
        own: {
          renew: authority.renew.bind(authority),
          catalog: () =>
            Object.entries(compiled.configuration.upstreams).map(([name, upstream]) => ({
              name,
              protocol: upstream.protocol,
              hosts: upstream.protocol === 'http' ? (upstream.hosts ?? []) : [],
            })),
        },
      },
      observe: ({ code, upstream }: { readonly code: string; readonly upstream: string | undefined }) =>
        metrics.count('requests', { code, upstream: upstream ?? 'none' }),
      report: (error: unknown) => options.report('request.failed', error),
    }
    const observe: Parameters<typeof listen>[0]['observe'] = (event) => {
      if (event.kind === 'connection-refused') metrics.count('connections_refused', { reason: event.reason })
      if (event.kind === 'request-refused') metrics.count('requests', { code: event.code, upstream: 'none' })
      if (event.kind === 'request-failed') options.report('request.failed', event.error)
    }
    const observeAgents: typeof observe = (event) => {
      observe(event)
      if (event.kind !== 'request-refused') return
      const { code, reason, id, connection } = event
      ledger.refuse({ caller: { certificate: thumbprintOf(connection.certificate) }, code, reason, request: id })
    }
    const limits = edgeLimits(compiled.configuration)
    const edgeOptions = { tls: authority.serverCredentials, limits, clock: now, newId: randomUUID, observe }
    const agents = await listening('listen', compiled.configuration.listen ?? '127.0.0.1:8443', (address) =>
      listen({ ...edgeOptions, ...address, clientCertificates: 'required', agentOf, observe: observeAgents }, (inbound) =>
        handle(ports, () => snapshot, inbound),
      ),
    )
    if (!agents) throw new Fault('"listen" cannot be off', 'not-done')
    closing.push(() => agents.close())
    const enrolment = await listening('enrolment', compiled.configuration.enrolment ?? '127.0.0.1:8444', (address) =>
      listen({ ...edgeOptions, ...address, clientCertificates: 'none' }, async (inbound) => {
        try {
          return await handleEnrolment(authority, inbound)
        } catch (error) {
          options.report('enrolment.failed', error)
          return problemAnswer({ code: 'gateway.fault' }, inbound.id)
        }
      }),
    )
    if (enrolment) closing.push(() => enrolment.close())
    authority.onCut((isCut) => agents.cut(isCut))
    authority.onTrustChange((credentials) => {
      agents.replaceTls(credentials)
      enrolment?.replaceTls(credentials)
    })

    const operations = await listening('operations', compiled.configuration.operations ?? '127.0.0.1:9464', (address) =>
      listenForOperations(address, { isReady: () => isReady && log.isAvailable, metrics: () => metrics.text() }),
    )
    if (operations) closing.push(() => operations.close())
    const shown = (port: number | undefined, configured: string | undefined, fallback: string): string | undefined =>
      port === undefined ? undefined : `${addressOf(configured ?? fallback).host}:${port}`
    const addresses = {
      agents: `${agents.address.host}:${agents.address.port}`,
      enrolment: enrolment && `${enrolment.address.host}:${enrolment.address.port}`,
      operations: shown(operations?.port, compiled.configuration.operations, '127.0.0.1:9464'),
    }
    const admin = await listenForAdmin(
      places.adminSocket,
      {
        authority,
        secrets,
        ledger,
        state,
        heldCalls,
        now,
        status: () => ({
          version,
          revision: compiled.revision,
          ready: isReady && log.isAvailable,
          addresses,
          log: { size: log.size, key: logKeyText(signer) },
          stdio: stdio.status(),
        }),
        reload: async (person) => {
          const next = await readAgain(options.configurationFile)
          if (next.kind === 'refused') return next
          const nextSettings = stdioSettings(next.configuration)
          const needRestart = readAtStart.filter((field) => JSON.stringify(next.configuration[field]) !== JSON.stringify(first.configuration[field]))
          await ledger.note({ type: 'admin', act: 'configuration.activated', person, subject: { revision: next.revision, before: compiled.revision } })
          settings = nextSettings
          exchanges.replace(next.definitions)
          ports.forward.mcp.links.dropAll()
          compiled = next
          snapshot = snapshotOf(next, sessionKey)
          return { kind: 'activated', revision: next.revision, ...(needRestart.length > 0 && { needRestart }) }
        },
      },
      randomUUID,
      (error) => options.report('admin.failed', error),
    )
    closing.push(() => admin.close())
    isReady = true
    return {
      addresses,
      logKey: logKeyText(signer),
      stop: async () => {
        isReady = false
        await agents.drain(limits.drainMs)
        await Promise.race([ledger.finish(), wait(finishDeadlineMs, undefined, { ref: false })])
        if (log.isAvailable) await ledger.note({ type: 'gateway', act: 'stopped', version, revision: compiled.revision })
        await stopAll()
      },
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}

async function readAgain(file: string): Promise<CompiledConfiguration | ReturnType<typeof refused>> {
  try {
    return await loadConfiguration(file)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return refused('control.configuration-invalid', error.message, { detail: error.message })
  }
}

function snapshotOf(compiled: CompiledConfiguration, sessionKey: Uint8Array): Snapshot {
  const judgedBodyBytesMax = sizeBytes(compiled.configuration.limits?.judgedBodyBytes ?? '1MiB')
  return { revision: compiled.revision, access: { upstreams: compiled.upstreams, judgedBodyBytesMax, sessionKey }, policy: compiled.policy }
}

function stdioSettings(configuration: Configuration): Map<string, StdioServerSettings> {
  const found = new Map<string, StdioServerSettings>()
  for (const [name, upstream] of Object.entries(configuration.upstreams)) {
    if (!('command' in upstream)) continue
    const settings = stdioServerSettings(upstream, process.env['PATH'] ?? '')
    if ('kind' in settings) throw new Fault(`upstreams.${name}: the program ${settings.program} is not on the gateway's PATH`, 'not-done')
    found.set(name, settings)
  }
  return found
}

function agentOf(certificate: Uint8Array): string | undefined {
  const read = readCertificate(certificate)
  return read.kind === 'refused' ? undefined : read.identity.id
}

function edgeLimits({ limits = {} }: Configuration): EdgeLimits {
  const { connections, connectionsPerAgent, requestsInFlight = defaultEdgeLimits.requestsInFlight, headerCount } = limits
  return {
    ...defaultEdgeLimits,
    ...(connections !== undefined && { connections }),
    ...(connectionsPerAgent !== undefined && { connectionsPerAgent }),
    requestsInFlight,
    requestsInFlightPerAgent: limits.requestsInFlightPerAgent ?? Math.ceil(requestsInFlight / 4),
    ...(headerCount !== undefined && { headerCount }),
    ...(limits.headBytes !== undefined && { headBytes: sizeBytes(limits.headBytes) }),
    ...(limits.bodyBytes !== undefined && { bodyBytes: sizeBytes(limits.bodyBytes) }),
    ...(limits.handshake !== undefined && { handshakeMs: durationMs(limits.handshake) }),
    ...(limits.head !== undefined && { headMs: durationMs(limits.head) }),
    ...(limits.body !== undefined && { bodyMs: durationMs(limits.body) }),
    ...(limits.keepAlive !== undefined && { keepAliveMs: durationMs(limits.keepAlive) }),
    ...(limits.drain !== undefined && { drainMs: durationMs(limits.drain) }),
  }
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

/** Opens one listener; `off` opens none. @throws Fault that says which address is taken and what to change */
async function listening<Listener>(
  field: 'listen' | 'enrolment' | 'operations',
  address: string,
  open: (address: { readonly host: string; readonly port: number }) => Promise<Listener>,
): Promise<Listener | undefined> {
  if (address === 'off') return undefined
  try {
    return await open(addressOf(address))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new Fault(`cannot listen on ${address} (${code}): change "${field}" in the configuration or stop what uses it`, 'not-done', error)
  }
}
