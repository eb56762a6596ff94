import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { setTimeout as wait } from 'node:timers/promises'
import {
  agentIdentity,
  defaultAddresses,
  durationMs,
  Fault,
  parseTrustDomain,
  refused,
  type Configuration,
  type Refused,
  type SpiffeId,
  type TrustDomain,
} from '@sallyport/contract'
import { openWhenRead } from './archive/opened-archive.ts'
import { cosignedPath } from './audit/log-files.ts'
import { viewPruned } from './audit/pruned-view.ts'
import { logKeyOf } from './audit/log-key.ts'
import type { AgentKey } from './control/authority/agent-store.ts'
import { openAuthority, type Authority, type ServerCredentials } from './control/authority/authority.ts'
import { listenForEnrolment } from './control/authority/listen-for-enrolment.ts'
import { InOrder } from './control/in-order.ts'
import { keepServerCertificateFresh } from './control/authority/renew-server-certificate.ts'
import { refuseOtherTrustDomain } from './control/authority/roots.ts'
import { clusterLookMs, followCluster } from './control/cluster/follow-cluster.ts'
import { openPrivateFolder, writePrivateFile } from './control/private-files.ts'
import { listenForAdmin } from './control/admin/listen.ts'
import { addressOf, listening } from './control/configuration/addresses.ts'
import { refuseExportsInto } from './control/configuration/compile-exports.ts'
import { readAgain, readConfigurationFile } from './control/configuration/configuration-file.ts'
import { restartNeeds } from './control/configuration/restart-needs.ts'
import { edgeLimits } from './control/configuration/edge-limits.ts'
import { dataFolder, makeDataFolder } from './control/data-folder.ts'
import { prunedSizeIn } from './control/pruned-log.ts'
import { showLog, type ShownLog } from './control/log-readers/show-log.ts'
import { gaugesOfLog, tellOfWitnesses } from './control/log-readers/tell-of-witnesses.ts'
import { listenForOperations } from './control/operations.ts'
import type { PageTls } from './control/login/listen-for-logins.ts'
import { ClientCredentials } from './control/login/client-credentials.ts'
import { openClientLogins, openLogins, openProviders } from './control/login/open-logins.ts'
import { openRotations } from './control/login/open-rotations.ts'
import type { ProviderDefinition } from './control/login/provider-definition.ts'
import { Providers } from './control/login/providers.ts'
import { keepPayloadsMs, payloadLimits } from './control/payloads/payload-limits.ts'
import { PayloadRegister } from './control/payloads/payload-register.ts'
import { PayloadStore } from './control/payloads/payload-store.ts'
import { SecretRegister } from './control/secrets/secret-register.ts'
import { recordedLineage } from './control/sessions/lineage.ts'
import { openSessions, sessionTerms } from './control/sessions/open-sessions.ts'
import { signalTerms } from './control/signals/alert-definition.ts'
import { openSignals } from './control/signals/open-signals.ts'
import { openDelegations } from './control/tickets/delegations.ts'
import { openTickets } from './control/tickets/tickets.ts'
import { createKeyFile, readKeyFile } from './drivers/key-file/key-file.ts'
import { witnessAt } from './drivers/log-network/witness-at.ts'
import { payloadFilesIn } from './drivers/payload-files/payload-files.ts'
import { viewLogFolder } from './drivers/posix-log/log-folder.ts'
import { openS3ArchiveWithSecret } from './drivers/s3/s3-archive.ts'
import { runStdioServers } from './drivers/stdio-server/run-stdio-servers.ts'
import { systemResolver } from './drivers/system-resolver.ts'
import { timerPause } from './drivers/timer-pause.ts'
import { followerSeries } from './telemetry/follower-series.ts'
import { Metrics, prometheusText, type Series } from './telemetry/metrics.ts'
import { openMetrics } from './telemetry/open-telemetry.ts'
import { countEvent, payloadSeal } from './threads/data-plane.ts'
import type { FollowerStates } from './threads/log-follower-api.ts'
import { followLog } from './threads/log-followers.ts'
import type { HostsTerms } from './threads/hosts.ts'
import { openState } from './open-state.ts'
import { openOnManyThreads } from './threads/many-threads.ts'
import { openOnOneThread } from './threads/one-thread.ts'
import type { RunSight } from './run-register.ts'

export const version = '0.1.0'

/** Sessions that are over and whose tickets may be alive are among the newest so many. */
const sessionsReadMax = 100_000

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
  readonly addresses: {
    readonly agents: string
    readonly enrolment: string | undefined
    readonly logins: string | undefined
    readonly operations: string | undefined
    readonly log?: string | undefined
  }
  /** What a verifier of the log needs. */
  readonly logKey: string
  /** What the configuration gives away. */
  readonly warnings: readonly string[]
  /** Refuses new requests, lets those in flight finish, writes their outcomes, closes the log. */
  stop(): Promise<void>
}

/** Makes what a gateway needs before its first start; safe to repeat. @throws Fault */
export async function initialise(folder: string, trustDomainText: string, logName?: string): Promise<void> {
  const trustDomain = parseTrustDomain(trustDomainText)
  if (!trustDomain) throw new Fault(`${trustDomainText} is not a trust domain: use a DNS name in lower case`, 'not-done')
  await makeDataFolder(folder, trustDomain, logName, { now: Date.now(), random: randomBytes, createSealingKey: (path) => createKeyFile(path, randomBytes) })
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
    await refuseExportsInto([folder, options.configurationFile], first.exports)
    const terms = sessionTerms(configuration.sessions)
    const state = closing.use(await openState({ folder, cluster: first.cluster, sessions: terms, report }))
    const { secrets, heldCalls, definitions } = state
    const metrics = new Metrics()
    let isReady = false

    let toClose: ShownLog | undefined
    closing.defer(() => toClose?.close()) // after the ledger, so that witnesses see its last checkpoint
    const threads = configuration.threads ?? 0
    let seeRun: HostsTerms['seeRun'] = () => undefined
    const hostsTerms = {
      dataFolder: folder,
      trustDomain,
      compiled: first,
      configuration: firstText,
      version,
      report,
      seeRun: (sight: RunSight) => seeRun(sight),
    }
    const hosts = await (threads === 0 ? openOnOneThread(hostsTerms) : openOnManyThreads(hostsTerms, threads, options.observeThread))
    const { ledger } = hosts
    const logOrigin = logKeyOf(ledger.logKey).name
    closing.defer(() => ledger.close())
    await ledger.begin({ act: 'started', version, revision: first.revision })

    const followers = followLog(
      {
        dataFolder: folder,
        log: logOrigin,
        host: hostname(),
        version,
        exports: first.exports,
        keepsIndex: configuration.searchIndex === true,
        archive: first.archive,
        logKey: ledger.logKey,
      },
      {
        report,
        note: (act, subject) => ledger.note({ type: 'admin', act, subject }),
        revealShared: (name) => secrets.revealShared(name),
      },
      options.observeThread,
    )
    closing.defer(() => followers.close())
    const objection = await followers.archiveObjection()
    if (objection !== undefined) throw new Fault(`log.archive: ${objection}`, 'not-done')

    const { archive } = first
    const archived = archive && openWhenRead(() => openS3ArchiveWithSecret(archive, (name) => secrets.revealShared(name)))
    closing.defer(() => archived?.close())
    const view = viewPruned(viewLogFolder(places.log), () => prunedSizeIn(folder), archived?.reader)
    const payloads = await PayloadStore.open(payloadFilesIn(places.payloads), () => payloadLimits(compiled.configuration.capture))
    const payloadRegister = new PayloadRegister({
      store: payloads,
      seal: payloadSeal(await readKeyFile(places.sealingKey)),
      view,
      note: (act) => ledger.note(act),
      forgetHeld: (approvals) => heldCalls.forget(approvals),
      keepMs: () => keepPayloadsMs(compiled.configuration.capture),
      now: Date.now,
      report,
    })
    closing.defer(() => payloadRegister.close())

    const authority = await openAuthority({
      directory: places.authority,
      store: state.agents,
      names: configuration.names ?? ['localhost', '127.0.0.1'],
      certificateLifetimeMs: durationMs(configuration.certificates?.lifetime ?? '12h'),
      tokenKey: state.tokenKey,
      tokenLifetimeMs: durationMs(configuration.certificates?.enrolmentToken ?? '15m'),
      gatewayAddress: configuration.listen ?? defaultAddresses.listen,
      note: (act) => ledger.note(act),
      now: Date.now,
      random: randomBytes,
    })
    closing.defer(keepServerCertificateFresh(authority, Date.now, (fault) => report('server-certificate', fault)))

    const tickets = await openTickets({
      trustDomain,
      kept: state.ticketKeys,
      learned: () => (state.shared ? wait(2 * clusterLookMs) : Promise.resolve()),
      revoked: (await state.sessions.list({}, sessionsReadMax))
        .filter(({ state }) => state === 'revoked' || state === 'reauth')
        .map(({ id }) => ({ session: id, revokedAtMs: Date.now() })),
      note: (act) => ledger.note(act),
      now: Date.now,
      newId: randomUUID,
    })

    const credentials = new ClientCredentials(state.credentials, (name) => secrets.revealShared(name))
    const providerPorts = { credential: (definition: ProviderDefinition) => credentials.current(definition), now: Date.now }
    const { signals, close: closeSignals } = openSignals({
      terms: signalTerms(configuration.alerts),
      webhook: first.webhook,
      resolver: systemResolver,
      revealShared: (name) => secrets.revealShared(name),
      log: logOrigin,
      note: (entry) => ledger.note(entry),
      metrics,
      newId: randomUUID,
      pause: timerPause,
      now: Date.now,
      elapsedMs,
      report,
    })
    closing.defer(closeSignals)
    seeRun = (sight) => signals.seeRun(sight)
    const providers = new Providers(openProviders(first.providers, providerPorts, systemResolver), { see: (sight) => signals.seeProvider(sight), elapsedMs })
    closing.defer(async () => void (await Promise.all(providers.all().map((provider) => provider.close()))))
    const sessions =
      configuration.sessions &&
      openSessions({
        terms,
        store: state.sessions,
        provider: providers,
        lineage: recordedLineage(state.agents),
        note: (entry) => ledger.note(entry),
        refuse: (seen) => ledger.refuse({ ...seen, request: randomUUID() }),
        mint: (facts) => tickets.mint(facts),
        see: (sight) => signals.seeSession(sight),
        ended: (session) => void tickets.deny(session).catch((error: unknown) => report('session-ended', error)),
        seal: state.sessionSeal,
        random: randomBytes,
        newId: randomUUID,
        pause: timerPause,
        now: Date.now,
        report,
      })
    closing.defer(() => sessions?.close())

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

    const logins =
      sessions && first.providers.length > 0
        ? await listening('sessions.listen', configuration.sessions?.listen ?? defaultAddresses.login, async (address) =>
            openLogins({
              address,
              publicUrl: configuration.sessions?.publicUrl,
              tls: await pageTls(configuration, dirname(options.configurationFile), authority.serverCredentials),
              completed: (login) => sessions.register.open(login),
              now: Date.now,
              random: randomBytes,
              newId: randomUUID,
              pause: timerPause,
              report,
            }),
          )
        : undefined
    if (logins) closing.defer(() => logins.close())
    const clientLogins =
      sessions &&
      logins &&
      first.clients &&
      openClientLogins({
        definition: first.clients,
        logins: logins.logins,
        providers,
        sessions: sessions.agents,
        register: sessions.register,
        lineage: recordedLineage(state.agents),
        resolver: systemResolver,
        now: Date.now,
        random: randomBytes,
      })
    if (clientLogins) closing.defer(() => clientLogins.close())

    const agents = await listening('listen', configuration.listen ?? defaultAddresses.listen, (address) =>
      hosts.openPlanes({
        compiled: first,
        configuration: firstText,
        roster: authority.roster,
        tickets: tickets.trust,
        sessions: sessions?.agents,
        clientLogins: clientLogins?.desk,
        delegations: openDelegations({ tickets, store: state.agents, roster: authority.roster, now: Date.now }),
        tls: authority.serverCredentials,
        address,
        stdio,
        payloads,
        renew: (principal, csrPem) => authority.renew(principal, csrPem),
        now: Date.now,
      }),
    )
    if (!agents) throw new Fault('"listen" cannot be off', 'not-done')
    closing.defer(() => agents.close())
    authority.roster.onChange((change) => agents.changeRoster(change))
    tickets.trust.onChange((change) => agents.changeTickets(change))
    // From here on every thread hears of what changes; what changed before is read again.
    const following =
      state.shared && first.cluster && followCluster({ ...state.shared, authority, tickets, trustMs: first.cluster.trustMs, now: Date.now, report })
    if (following) closing.defer(() => following.close())

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
      if (configuration.sessions?.tls === undefined) logins?.replaceTls(tlsOf(credentials))
    })

    const shown = await showLog({
      log: configuration.log,
      names: configuration.names ?? [],
      view: viewLogFolder(places.log),
      prunedSize: () => prunedSizeIn(folder),
      logKey: ledger.logKey,
      witnessAt,
      keepCosigned: (note) => writePrivateFile(places.log, cosignedPath, note),
      now: Date.now,
      onRead: (status) => metrics.count('sallyport_log_reads_total', { status: String(status) }),
      onWitness: tellOfWitnesses({ note: (act) => ledger.note(act), report, tell: options.tell, now: Date.now }),
      report,
    })
    toClose = shown
    const followerStates = (): Promise<FollowerStates> =>
      followers.states().catch((fault: unknown) => (report('exports.silent', fault), { exports: [], archive: undefined }))
    const allSeries = async (): Promise<readonly Series[]> =>
      metrics.series([
        ...(await agents.series()),
        ...gaugesOfLog(await ledger.size().catch(() => undefined), shown.witnessing),
        ...followerSeries(await followerStates()),
      ])
    const operations = await listening('operations', configuration.operations ?? defaultAddresses.operations, (address) =>
      listenForOperations(address, {
        isReady: () => isReady && ledger.isAvailable && authority.roster.isCurrent(Date.now()),
        metrics: async () => prometheusText(await allSeries()),
      }),
    )
    if (operations) closing.defer(() => operations.close())
    const sending = await openMetrics(configuration.telemetry, {
      version,
      metrics,
      revealShared: (name) => secrets.revealShared(name),
      report,
      collect: allSeries,
      now: Date.now,
    })
    if (sending) closing.defer(() => sending.close())
    const addresses = {
      agents: `${agents.address.host}:${agents.address.port}`,
      enrolment: enrolment && `${enrolment.address.host}:${enrolment.address.port}`,
      logins: logins?.publicUrl,
      operations: operations && `${addressOf(configuration.operations ?? defaultAddresses.operations).host}:${operations.port}`,
      log: shown.address,
    }

    const reload = async (person: string, file: string | undefined): Promise<object | Refused> => {
      if (file !== undefined && resolve(file) !== resolve(options.configurationFile))
        return refused('control.conflict', undefined, { detail: `This gateway runs on ${options.configurationFile}: a reload reads that file again.` })
      const read = await readAgain(options.configurationFile)
      if ('problem' in read) return read
      const [next, nextText] = read
      const needRestart = restartNeeds(configuration, next.configuration)
      if (next.revision === compiled.revision) return { kind: 'unchanged', revision: next.revision, needRestart, warnings: next.warnings }
      await agents.prepare(nextText)
      await ledger.note({ type: 'admin', act: 'configuration.activated', person, subject: { revision: next.revision, before: compiled.revision } })
      compiled = next
      await agents.activate(next)
      providers.replace(openProviders(next.providers, providerPorts, systemResolver))
      return { kind: 'activated', revision: next.revision, needRestart, warnings: next.warnings }
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
        payloads: payloadRegister,
        sessions: sessions && { register: sessions.register, logins, providers, agentId: async (agent) => activeId(authority, trustDomain, agent) },
        ticketKeys: tickets,
        rotateCredential: openRotations({
          providers,
          credentials,
          secrets,
          resolver: systemResolver,
          note: (act) => ledger.note(act),
          random: randomBytes,
          now: Date.now,
        }),
        inForce: () => agents.inForce(),
        status: async () => {
          const { exports, archive } = await followerStates()
          return {
            version,
            revision: compiled.revision,
            needRestart: restartNeeds(configuration, compiled.configuration),
            ready: isReady && ledger.isAvailable && authority.roster.isCurrent(Date.now()),
            addresses,
            threads,
            log: { size: await ledger.size(), key: ledger.logKey, ...shown.witnessing, ...(archive && { archive }) },
            stdio: stdio.status(),
            payloads: payloads.status,
            exports,
            tools: { held: (await ledger.tools()).filter(({ held }) => held.length > 0).length },
            warnings: compiled.warnings,
          }
        },
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
        await sessions?.close()
        await closeSignals()
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

/** By a clock that is never set. */
function elapsedMs(): number {
  return performance.now()
}

function activeId({ roster }: Authority, trustDomain: TrustDomain, { tenant, agent }: AgentKey): SpiffeId | undefined {
  const { id } = agentIdentity(trustDomain, tenant, agent)
  return roster.standing(id) === 'active' ? id : undefined
}

/** For the pages on which people log in: the operator's certificate or the gateway's own, or none where the browser is on this host. */
async function pageTls({ sessions }: Configuration, folder: string, own: ServerCredentials): Promise<PageTls | undefined> {
  if (sessions?.publicUrl?.startsWith('https:') !== true) return undefined
  if (sessions.tls === undefined) return tlsOf(own)
  const [cert, key] = await Promise.all([sessions.tls.certificate, sessions.tls.key].map((file) => readFile(resolve(folder, file), 'utf8')))
  return { cert: cert ?? '', key: key ?? '' }
}

function tlsOf({ certificatePem, keyPem }: ServerCredentials): PageTls {
  return { cert: certificatePem, key: keyPem }
}
