/** A data-plane thread's composition root. */
import { createSecretKey, randomUUID } from 'node:crypto'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { Fault } from '@sallyport/contract'
import { LiveRoster } from '../control/authority/live-roster.ts'
import { LiveTicketTrust } from '../control/tickets/live-ticket-trust.ts'
import type { CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import { dataFolder, deriveKey } from '../control/data-folder.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { callsOver, serveCalls } from './calls.ts'
import { compileText } from './compile-text.ts'
import { openDataPlane } from './data-plane.ts'
import type { MainApi, PlaneApi, PlaneStart, ThreadNews } from './plane-ports.ts'
import { remoteSessions } from './own-sessions.ts'
import { RemoteLedger } from './remote-ledger.ts'
import { remoteStdioServers } from './remote-stdio-servers.ts'

/** How often outcomes are confirmed and counts of refusals told. */
const confirmEveryMs = 1_000

const start = workerData as PlaneStart // what `gateway-threads.ts` gave
const tell = (news: ThreadNews): void => parentPort?.postMessage(news)
try {
  await run()
} catch (error) {
  if (!(error instanceof Error)) throw error
  tell({ kind: 'not-up', message: error.message, outcome: error instanceof Fault ? error.outcome : 'unknown' })
}

async function run(): Promise<void> {
  const main = callsOver<MainApi>(start.ports.main, [
    'renew',
    'claimSession',
    'refreshSession',
    'endSession',
    'authorizeClient',
    'exchangeCode',
    'leaveSession',
    'keepPayload',
    'dropPayload',
    'delegate',
    'introduce',
    'cancelElsewhere',
    'report',
  ])
  const report = (event: string, error: unknown): void => void main.report(event, error instanceof Error ? error.message : String(error)).catch(() => undefined)
  const prepared = new Map<string, CompiledConfiguration>()
  const compiled = await compileText(start.configuration)
  const roster = new LiveRoster(start.trustDomain, [], { agents: [], revokedCertificates: [], blocks: [] })
  for (const change of start.roster) roster.apply(change)
  const tickets = new LiveTicketTrust(start.trustDomain)
  for (const change of start.tickets) void tickets.apply(change) // nobody else listens
  const sealingKey = await readKeyFile(dataFolder(start.dataFolder).sealingKey)
  const ledger = new RemoteLedger({ digestKey: createSecretKey(deriveKey(sealingKey, 'call-digest')), now: Date.now })
  parentPort?.on('message', (port: MessagePort) => ledger.attach(port))
  const sessions = remoteSessions(main, randomUUID)
  const plane = await openDataPlane({
    ...start,
    compiled,
    version: start.version,
    roster,
    tickets,
    ledger,
    payloads: { keep: (payload) => main.keepPayload(payload), drop: (digest) => main.dropPayload(digest) },
    tools: ledger.tools,
    runs: ledger.runs,
    stdio: remoteStdioServers(start.ports.stdio, randomUUID),
    renew: ({ id, tenant, agent, thumbprint, notAfterMs }, csrPem) => main.renew({ id, tenant, agent, thumbprint, notAfterMs }, csrPem),
    sessions,
    clientLogins: sessions,
    delegations: { delegate: (handover) => main.delegate(handover), introduce: (introduction) => main.introduce(introduction) },
    now: Date.now,
    cancelElsewhere: (key) => void main.cancelElsewhere(key).catch(() => undefined),
    report,
  })
  const confirming = setInterval(() => void ledger.writeCounts(), confirmEveryMs)
  serveCalls<PlaneApi>(
    start.ports.control,
    {
      prepare: async (configuration) => void prepared.set(configuration.revision, await compileText(configuration)),
      activate: (revision) => {
        const next = prepared.get(revision)
        prepared.clear()
        if (!next) throw new TypeError('a configuration is prepared before it is activated')
        plane.activate(next)
      },
      changeRoster: (changes) => {
        for (const change of changes) roster.apply(change)
        if (changes.some(({ kind }) => kind !== 'current')) plane.cutRefused()
      },
      changeTickets: (changes) => {
        for (const change of changes) void tickets.apply(change)
      },
      replaceTls: (tls) => plane.replaceTls(tls),
      cancel: (key) => plane.cancel(key),
      series: () => plane.metrics.series(),
      held: () => ledger.held,
      drain: async () => {
        await plane.drain()
        await ledger.finish()
      },
      close: async () => {
        clearInterval(confirming)
        await plane.close()
      },
    },
    (error) => report('thread.failed', error),
  )
  tell({ kind: 'up' })
}
