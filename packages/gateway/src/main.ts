import { randomBytes, randomUUID } from 'node:crypto'
import { hostname, tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { defaultAddresses, durationMs, Fault, parseTrustDomain, refused, type Configuration, type Refused } from '@sallyport/contract'
import { openAuthority } from './control/authority/authority.ts'
import { listenForEnrolment } from './control/authority/listen-for-enrolment.ts'
import { InOrder } from './control/in-order.ts'
import { keepServerCertificateFresh } from './control/authority/renew-server-certificate.ts'
import { refuseOtherTrustDomain } from './control/authority/roots.ts'
import { openPrivateFolder } from './control/private-files.ts'
import { listenForAdmin } from './control/admin/listen.ts'
import { addressOf, listening } from './control/configuration/addresses.ts'
import { readAgain, readConfigurationFile } from './control/configuration/configuration-file.ts'
import { edgeLimits } from './control/configuration/edge-limits.ts'
import { dataFolder, makeDataFolder } from './control/data-folder.ts'
import { listenForOperations } from './control/operations.ts'
import { SecretRegister } from './control/secrets/secret-register.ts'
import { createKeyFile, readKeyFile } from './drivers/key-file/key-file.ts'
import { SqliteAgentStore } from './drivers/sqlite/agent-store.ts'
import { openDatabase } from './drivers/sqlite/database.ts'
import { SqliteHeldCalls } from './drivers/sqlite/held-calls.ts'
import { SqliteSecretStore } from './drivers/sqlite/secret-store.ts'
import { SqliteToolDefinitions } from './drivers/sqlite/tool-definitions.ts'
import { runStdioServers } from './drivers/stdio-server/run-stdio-servers.ts'
import { exportMetrics } from './telemetry/export-metrics.ts'
import { Metrics } from './telemetry/metrics.ts'
import { countEvent } from './threads/data-plane.ts'
import type { NamedExportState } from './threads/log-follower-api.ts'
import { followLog } from './threads/log-followers.ts'
import { openOnManyThreads } from './threads/many-threads.ts'
import { openOnOneThread } from './threads/one-thread.ts'

export const version = '0.1.0'

/** What a reload leaves as it is: it says so in its answer. Of the limits, `judgedBodyBytes` alone is part of the snapshot. */
const readAtStart = ['trustDomain', 'listen', 'enrolment', 'operations', 'names', 'certificates', 'limits', 'threads', 'exports', 'searchIndex'] as const

export interface GatewayOptions {
  /** `sallyport.yaml`; the files that it names lie beside it. */
  readonly configurationFile: string
  readonly dataFolder: string
  /** Something went wrong inside; for the operator's own log. Never holds a secret. */
  readonly report: (event: string, error: unknown) => void
  /** Something that is no fault and that the log does not hold, since strangers could fill it: refused enrolments, the first few of a kind singly. */
  readonly tell?: (event: string, facts: Readonly<Record<string, string | number>>) => void
  /** Gets every thread as it starts: for tests that end one. */
  readonly observeThread?: (name: string, worker: Worker) => void
}

export interface RunningGateway {
  readonly addresses: { readonly agents: string; readonly enrolment: string | undefined; readonly operations: string | undefined }
  /** What a verifier of the log needs. */
  readonly logKey: string
  /** What the configuration gives away. */
  readonly warnings: readonly string[]
  /** Refuses new requests, lets those in flight finish, writes their outcomes, closes the log. */
  stop(): Promise<void>
}

/** Makes what a gateway needs before its first start; safe to repeat. @throws Fault */
export async function initialise(folder: string, trustDomainText: string): Promise<void> {
  const trustDomain = parseTrustDomain(trustDomainText)
  if (!trustDomain) throw new Fault(`${trustDomainText} is not a trust domain: use a DNS name in lower case`, 'not-done')
  await makeDataFolder(folder, trustDomain, { now: Date.now(), random: randomBytes, createSealingKey: (path) => createKeyFile(path, randomBytes) })
}

/** The composition root: chooses clock, randomness, drivers and sockets, and joins them to the story. @throws Fault when it cannot start; nothing then runs */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { dataFolder: folder, report } = options
  const places = dataFolder(folder)
  const closing = new AsyncDisposableStack()
  try {
    const [first, firstText] = await readConfigurationFile(options.configurationFile)
    await openPrivateFolder(folder)
    let compiled = first
    const { configuration } = first
    const trustDomain = parseTrustDomain(configuration.trustDomain)
    if (!trustDomain) throw new TypeError('the schema lets only trust domains through')
    await refuseOtherTrustDomain(places.authority, trustDomain)
    const sealingKey = await readKeyFile(places.sealingKey)
    const database = openDatabase(places.database)
    closing.defer(() => database.close())
    const secrets = new SqliteSecretStore(database, sealingKey, randomBytes)
    const heldCalls = new SqliteHeldCalls(database, sealingKey, randomBytes, Date.now)
    const definitions = new SqliteToolDefinitions(database, sealingKey, randomBytes)
    const metrics = new Metrics()
    let isReady = false

    const threads = configuration.threads ?? 0
    const hostsTerms = { dataFolder: folder, trustDomain, compiled: first, configuration: firstText, version, report }
    const hosts = await (threads === 0 ? openOnOneThread(hostsTerms) : openOnManyThreads(hostsTerms, threads, options.observeThread))
    const { ledger } = hosts
    closing.defer(() => ledger.close())
    await ledger.begin({ act: 'started', version, revision: first.revision })

    const followers = followLog(
      {
        dataFolder: folder,
        log: `${trustDomain}/sallyport`,
        host: hostname(),
        version,
        exports: first.exports,
        keepsIndex: configuration.searchIndex === true,
      },
      report,
      options.observeThread,
    )
    closing.defer(() => followers.close())

    const authority = await openAuthority({
      directory: places.authority,
      store: new SqliteAgentStore(database),
      names: configuration.names ?? ['localhost', '127.0.0.1'],
      certificateLifetimeMs: durationMs(configuration.certificates?.lifetime ?? '12h'),
      tokenLifetimeMs: durationMs(configuration.certificates?.enrolmentToken ?? '15m'),
      gatewayAddress: configuration.listen ?? defaultAddresses.listen,
      note: (act) => ledger.note(act),
      now: Date.now,
      random: randomBytes,
    })
    closing.defer(keepServerCertificateFresh(authority, Date.now, (fault) => report('server-certificate', fault)))

    const stdio = runStdioServers({
      settings: (upstream) => compiled.programs.get(upstream),
      reveal: (tenant, name) => secrets.reveal(tenant, name),
      version,
      now: Date.now,
      toolsChanged: (owner) => ledger.toolsMayHaveChanged(owner, true),
      toolsMayHaveChanged: (owner) => ledger.toolsMayHaveChanged(owner, false),
      temporaryFolder: tmpdir(),
      hidden: () => [folder, options.configurationFile, ...compiled.keyFiles],
      report: (fault) => report('stdio-server', fault),
    })
    closing.defer(() => stdio.close())

    const agents = await listening('listen', configuration.listen ?? defaultAddresses.listen, (address) =>
      hosts.openPlanes({
        compiled: first,
        configuration: firstText,
        roster: authority.roster,
        tls: authority.serverCredentials,
        address,
        stdio,
        renew: (principal, csrPem) => authority.renew(principal, csrPem),
        now: Date.now,
      }),
    )
    if (!agents) throw new Fault('"listen" cannot be off', 'not-done')
    closing.defer(() => agents.close())
    authority.roster.onChange((change) => agents.changeRoster(change))

    const enrolment = await listening('enrolment', configuration.enrolment ?? defaultAddresses.enrolment, (address) =>
      listenForEnrolment({
        ...address,
        authority,
        limits: edgeLimits(configuration),
        clock: Date.now,
        newId: randomUUID,
        observe: (event) => countEvent(metrics, event, report),
        report,
        tell: (event, facts) => options.tell?.(event, facts),
      }),
    )
    if (enrolment) closing.defer(() => enrolment.close())
    authority.onTrustChange((credentials) => {
      agents.replaceTls(credentials)
      enrolment?.replaceTls(credentials)
    })

    const exportStates = async (): Promise<readonly NamedExportState[]> => followers.states().catch((fault: unknown) => (report('exports.silent', fault), []))
    const operations = await listening('operations', configuration.operations ?? defaultAddresses.operations, (address) =>
      listenForOperations(address, {
        isReady: () => isReady && ledger.isAvailable,
        metrics: async () => metrics.text(await agents.counters()) + exportMetrics(await exportStates()),
      }),
    )
    if (operations) closing.defer(() => operations.close())
    const addresses = {
      agents: `${agents.address.host}:${agents.address.port}`,
      enrolment: enrolment && `${enrolment.address.host}:${enrolment.address.port}`,
      operations: operations && `${addressOf(configuration.operations ?? defaultAddresses.operations).host}:${operations.port}`,
    }

    const reload = async (person: string, file: string | undefined): Promise<object | Refused> => {
      if (file !== undefined && resolve(file) !== resolve(options.configurationFile))
        return refused('control.conflict', undefined, { detail: `This gateway runs on ${options.configurationFile}: a reload reads that file again.` })
      const read = await readAgain(options.configurationFile)
      if ('problem' in read) return read
      const [next, nextText] = read
      if (next.revision === compiled.revision) return { kind: 'unchanged', revision: next.revision, warnings: next.warnings }
      const needRestart = restartNeeds(configuration, next.configuration)
      await agents.prepare(nextText)
      await ledger.note({ type: 'admin', act: 'configuration.activated', person, subject: { revision: next.revision, before: compiled.revision } })
      compiled = next
      await agents.activate(next)
      return { kind: 'activated', revision: next.revision, ...(needRestart.length > 0 && { needRestart }), warnings: next.warnings }
    }
    const inOrder = new InOrder()
    const admin = await listenForAdmin(
      places.adminSocket,
      {
        authority,
        secrets: new SecretRegister({ store: secrets, note: (act) => ledger.note(act), now: Date.now }),
        ledger,
        heldCalls,
        definitions,
        inForce: () => agents.inForce(),
        status: async () => ({
          version,
          revision: compiled.revision,
          ready: isReady && ledger.isAvailable,
          addresses,
          threads,
          log: { size: await ledger.size(), key: ledger.logKey },
          stdio: stdio.status(),
          exports: await exportStates(),
          tools: { held: (await ledger.tools()).filter(({ held }) => held.length > 0).length },
          warnings: compiled.warnings,
        }),
        reload: (person, file) => inOrder.run(() => reload(person, file)),
      },
      randomUUID,
      (error) => report('admin.failed', error),
    )
    closing.defer(() => admin.close())
    isReady = true
    return {
      addresses,
      logKey: ledger.logKey,
      warnings: first.warnings,
      stop: async () => {
        isReady = false
        await agents.drain()
        await ledger.finish()
        if (ledger.isAvailable) await ledger.note({ type: 'gateway', act: 'stopped', version, revision: compiled.revision })
        await closing.disposeAsync()
      },
    }
  } catch (error) {
    await closing.disposeAsync().catch((fault: unknown) => report('close.failed', fault)) // all are closed, and why it did not start is what counts
    throw error
  }
}

function restartNeeds(running: Configuration, next: Configuration): readonly (typeof readAtStart)[number][] {
  const atStart = ({ limits, ...fields }: Configuration): Configuration => ({ ...fields, limits: { ...limits, judgedBodyBytes: undefined } })
  return readAtStart.filter((field) => !isDeepStrictEqual(atStart(running)[field], atStart(next)[field]))
}
