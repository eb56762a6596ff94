import { lstat, readdir, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { defaultAddresses, Fault, parseTrustDomain } from '@sallyport/contract'
import { z } from 'zod'
import { readBackward } from '../audit/reader.ts'
import { openRoots, refuseOtherTrustDomain } from '../control/authority/roots.ts'
import { listening } from '../control/configuration/addresses.ts'
import type { CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import { dataFolder, keptCheckpoint, readLogKey } from '../control/data-folder.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { openDatabaseToRead } from '../drivers/sqlite/database.ts'
import { SqliteSecretStore } from '../drivers/sqlite/secret-store.ts'
import { objectionToBubblewrap } from '../drivers/stdio-server/sandbox.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { askGateway } from './admin-client.ts'
import { whyNoAnswer } from './operator-console.ts'
import { findUnsetSecrets } from './unset-secrets.ts'
import { objectionsToArchive, tryArchive } from './examine-archive.ts'
import { ownPrunedLog, ownVerifierKey, verifyFolder } from './verify-log.ts'

export interface Finding {
  readonly check: string
  readonly state: 'fail' | 'warn' | 'ok'
  /** What is wrong and what to do; absent when nothing is. */
  readonly advice?: string
}

export interface Patient {
  readonly configurationFile: string
  readonly folder: string
  /** As in `process.versions.node`. */
  readonly nodeVersion: string
  readonly nowMs: number
  readonly randomBytes: (length: number) => Uint8Array
}

/** The newest release of Node 24 that this version was tested with: those before it lack fixes. */
export const nodeTested = '24.21.0'
/** Entries of the data folder whose modes are looked at. */
const sweptMax = 1_000_000
const diskBytesMin = { fail: 64 * 1024 ** 2, warn: 1024 ** 3 } as const
/** A root is replaced well before its end, so that every agent has learnt the next one. */
const rootRestMsMin = 90 * 24 * 3_600_000
/** How far the newest entry of the log may be ahead of the clock. */
const clockStepMsMax = 60_000
/** How far an export may be behind the log. */
const exportLagMsMax = 5 * 60_000

const exportStates = z.array(z.object({ name: z.string(), lagEntries: z.number(), lagMs: z.number(), failure: z.string().optional() }))

/**
 * Looks at everything that a gateway on this folder needs, and changes nothing. Safe while the gateway runs.
 *
 * Reads and verifies the whole log.
 */
export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const { configurationFile, folder, nodeVersion, nowMs } = patient
  const findings: Finding[] = []
  /** A check that throws has failed; one that gives a text warns. */
  const check = async (name: string, work: () => Promise<string | undefined>): Promise<void> => {
    try {
      const advice = await work()
      findings.push(advice === undefined ? { check: name, state: 'ok' } : { check: name, state: 'warn', advice })
    } catch (error) {
      if (!(error instanceof Error)) throw error
      findings.push({ check: name, state: 'fail', advice: error.message })
    }
  }
  let configuration: CompiledConfiguration | undefined
  await check('node', async () => objectionToNode(nodeVersion))
  await check('configuration', async () => {
    configuration = await loadConfiguration(configurationFile)
    return joined(configuration.warnings)
  })
  const checkAgainst = (name: string, work: (compiled: CompiledConfiguration) => Promise<string | undefined>): Promise<void> =>
    check(name, async () => (configuration ? work(configuration) : 'not checked: the configuration is not valid'))
  await checkAgainst('sandbox', trySandboxes)
  const isMade = await stat(folder).then(
    () => true,
    () => false,
  )
  if (!isMade) {
    await check('data folder', () => Promise.reject(new Fault(`there is no ${folder}: run "sallyport init", or name the data folder with --data`, 'not-done')))
    return findings
  }
  await check('data folder', () => sweep(folder))
  await check('disk', () => measureDisk(folder))
  await check('log key', async () => void (await readLogKey(folder)))
  await check('log', () => verifyLog(folder, configuration))
  await check('clock', () => compareClock(folder, nowMs))
  await check('authority', () => checkAuthority(folder, configuration, patient))
  await check('database', () => checkDatabase(folder, patient))
  await checkAgainst('secrets', async (compiled) => joined(await findUnsetSecrets(folder, compiled.configuration, patient.randomBytes)))
  await checkAgainst('archive', (compiled) => tryArchive(folder, compiled))
  await check('gateway', () => askRunning(folder, configuration))
  if (configuration?.configuration.log?.witnesses) await check('witnesses', () => askAboutWitnesses(folder))
  return findings
}

function joined(texts: readonly string[]): string | undefined {
  return texts.length > 0 ? texts.join('; ') : undefined
}

function objectionToNode(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const [testedMajor = 0, testedMinor = 0, testedPatch = 0] = nodeTested.split('.').map(Number)
  if (major > testedMajor || (major === testedMajor && (minor > testedMinor || (minor === testedMinor && patch >= testedPatch)))) return undefined
  return `Node ${version} lacks fixes: use ${nodeTested} or a later release`
}

async function trySandboxes({ programs }: CompiledConfiguration): Promise<undefined> {
  const used = [...programs.values()].flatMap(({ sandbox }) => (sandbox.kind === 'bubblewrap' ? [sandbox.bwrap] : []))
  for (const bwrap of new Set(used)) {
    const objection = await objectionToBubblewrap(bwrap)
    if (objection !== undefined) {
      throw new Fault(`${bwrap} cannot make its namespaces here (${objection}): allow them to this user, or choose another sandbox`, 'not-done')
    }
  }
}

/** Everything in the folder belongs to this user and to nobody else. */
async function sweep(folder: string): Promise<undefined> {
  const own = process.getuid?.()
  const shared: string[] = []
  const names = ['', ...(await readdir(folder, { recursive: true }))]
  for (const name of names.slice(0, sweptMax)) {
    const path = join(folder, name)
    const found = await lstat(path).catch(() => undefined) // a running gateway replaces files
    if (!found) continue
    const isForeign = own !== undefined && found.uid !== own
    if (found.isSymbolicLink() || isForeign || (found.mode & 0o077) !== 0) shared.push(path)
  }
  if (shared.length === 0) return
  const shown = shared.slice(0, 3).join(', ')
  throw new Fault(
    `others can reach ${shown}${shared.length > 3 ? ` and ${shared.length - 3} more` : ''}: chmod go= and chown them, and treat keys among them as stolen`,
    'not-done',
  )
}

async function measureDisk(folder: string): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const text = `${Math.floor(free / 1024 ** 2)} MiB are free for the data folder, and nothing is forwarded when the log cannot be written`
  if (free < diskBytesMin.fail) throw new Fault(text, 'not-done')
  return free < diskBytesMin.warn ? text : undefined
}

async function newestTime(folder: string): Promise<string | undefined> {
  for await (const { event } of readBackward(viewLogFolder(dataFolder(folder).log))) return event.time
  return undefined
}

async function verifyLog(folder: string, configuration: CompiledConfiguration | undefined): Promise<string | undefined> {
  if ((await newestTime(folder)) === undefined) return undefined
  if (!configuration) return 'it is not verified: the configuration that names its key is not valid'
  const named = parseTrustDomain(configuration.configuration.trustDomain)
  if (named) await refuseOtherTrustDomain(dataFolder(folder).authority, named) // its name is part of the key's: it would look forged
  const earlier = await keptCheckpoint(folder).read()
  const key = await ownVerifierKey(folder)
  const report = await verifyFolder(dataFolder(folder).log, key, { earlier: earlier === undefined ? [] : [earlier], pruned: await ownPrunedLog(folder) })
  if (report.kind === 'fault') throw new Fault(report.text, 'not-done')
  return undefined
}

async function compareClock(folder: string, nowMs: number): Promise<string | undefined> {
  const newest = await newestTime(folder)
  if (newest === undefined || Date.parse(newest) <= nowMs + clockStepMsMax) return undefined
  return `the newest entry of the log is from ${newest}, and it is ${new Date(nowMs).toISOString()}: check the clock; certificates and quotas go by it`
}

async function checkAuthority(folder: string, configuration: CompiledConfiguration | undefined, { nowMs, randomBytes }: Patient): Promise<string | undefined> {
  const { authority } = dataFolder(folder)
  await stat(authority) // opening would make it
  const roots = await openRoots(authority, randomBytes)
  if (configuration && roots.trustDomain !== configuration.configuration.trustDomain) {
    throw new Fault(
      `it is the authority of ${roots.trustDomain}, and the configuration says trustDomain: ${configuration.configuration.trustDomain}`,
      'not-done',
    )
  }
  const end = new Date(roots.newest.notAfterMs).toISOString()
  if (roots.newest.notAfterMs <= nowMs) throw new Fault(`the root that signs ended at ${end}: sallyport ca recover`, 'not-done')
  return roots.newest.notAfterMs - nowMs < rootRestMsMin ? `the root that signs ends at ${end}: sallyport ca rotate` : undefined
}

/** Also whether the sealing key opens what it sealed. */
async function checkDatabase(folder: string, { randomBytes }: Patient): Promise<undefined> {
  const places = dataFolder(folder)
  const sealingKey = await readKeyFile(places.sealingKey)
  const database = openDatabaseToRead(places.database)
  try {
    if (database) await new SqliteSecretStore(database, sealingKey, randomBytes).openAll()
  } finally {
    database?.close()
  }
}

async function askRunning(folder: string, configuration: CompiledConfiguration | undefined): Promise<string | undefined> {
  const answer = await askGateway(dataFolder(folder).adminSocket, 'status', {})
  if (answer.kind !== 'done') {
    if (answer.kind === 'unreachable' && configuration) await tryAddresses(configuration)
    return answer.kind === 'unreachable' ? whyNoAnswer(folder, answer.code) : (answer.problem.detail ?? answer.problem.title)
  }
  const status = typeof answer.value === 'object' && answer.value !== null ? answer.value : {}
  if (!('ready' in status && status.ready === true))
    throw new Fault(
      'it runs and forwards nothing: it cannot write its log, or does not see the database that it shares (/readyz and its own output say more)',
      'not-done',
    )
  const objections = [
    ...(configuration && 'revision' in status && status.revision !== configuration.revision
      ? ['it runs another revision than the file: sallyport reload']
      : []),
    ...objectionsToOldFields(status),
    ...objectionsToExports(status),
    ...objectionsToArchive(status),
  ]
  return joined(objections)
}

function objectionsToOldFields(status: object): readonly string[] {
  const fields = 'needRestart' in status && Array.isArray(status.needRestart) ? status.needRestart : []
  return fields.length > 0 ? [`only a restart takes over: ${fields.join(', ')}`] : []
}

function objectionsToExports(status: object): readonly string[] {
  const read = exportStates.safeParse('exports' in status ? status.exports : [])
  return (read.success ? read.data : []).flatMap(({ name, lagEntries, lagMs, failure }) => {
    if (failure === undefined && lagMs < exportLagMsMax) return []
    const why = failure === undefined ? '' : `: ${failure}`
    return [`the export ${name} is ${lagEntries} entries and ${Math.round(lagMs / 1000)} s behind${why}`]
  })
}

const witnessed = z.object({
  log: z.object({ witnesses: z.array(z.object({ name: z.string(), state: z.string(), problem: z.string().optional() })) }),
})

/** What the running gateway knows of its witnesses. @throws Fault when one has seen another log */
async function askAboutWitnesses(folder: string): Promise<string | undefined> {
  const answer = await askGateway(dataFolder(folder).adminSocket, 'status', {})
  const told = witnessed.safeParse(answer.kind === 'done' ? answer.value : undefined)
  if (!told.success) return 'they are asked by the running gateway, and none answers'
  const { witnesses } = told.data.log
  const text = (state: string): string | undefined =>
    joined(witnesses.filter((one) => one.state === state).map(({ name, problem }) => `${name}: ${problem ?? 'it has not been asked yet'}`))
  const conflict = text('conflict')
  if (conflict !== undefined) throw new Fault(`${conflict}. Keep the data folder as evidence: it was put back, or someone else signs with log.key`, 'not-done')
  return joined([text('refuses'), text('fails'), text('unasked')].filter((some) => some !== undefined))
}

/** What a start would meet. @throws Fault that says which address is taken */
async function tryAddresses({ configuration }: CompiledConfiguration): Promise<void> {
  const { log, ...given } = configuration
  for (const field of ['listen', 'enrolment', 'operations', 'log.listen'] as const) {
    const address = field === 'log.listen' ? (log?.listen ?? 'off') : (given[field] ?? defaultAddresses[field])
    await listening(field, address, async ({ host, port }) => {
      const server = createServer()
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port, exclusive: true }, resolve))
      await new Promise((resolve) => server.close(resolve))
    })
  }
}
