import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { arch, availableParallelism, freemem, platform, release, totalmem } from 'node:os'
import { basename, dirname } from 'node:path'
import { Fault } from '@sallyport/contract'
import { z } from 'zod'
import { findEvents } from '../../audit/find-events.ts'
import { readConfiguration } from '../../control/configuration/read-configuration.ts'
import { dataFolder } from '../../control/data-folder.ts'
import { viewLogFolder } from '../../drivers/posix-log/log-folder.ts'
import { version } from '../../main.ts'
import { askGateway } from '../admin-client.ts'
import { examine } from '../doctor.ts'
import { describeConfiguration, removed, type DescribedConfiguration } from './describe-configuration.ts'
import { describeEntry } from './describe-entry.ts'
import { listFiles } from './list-files.ts'
import { ownNames, pseudonyms, type ShowName } from './pseudonyms.ts'

export interface GatherTerms {
  readonly configurationFile: string
  readonly folder: string
  /** Newest entries of the log to describe. */
  readonly entries: number
  readonly isAnonymous: boolean
}

const metricsMsMax = 3_000
const metricsLengthMax = 1_048_576

/**
 * Everything that helps to find out what is wrong with an installation, and nothing that opens anything: no key, no secret, no argument of a call, no word of an agent,
 * an upstream or a child program. Works with the gateway up or down, and changes nothing.
 */
export async function gather({ configurationFile, folder, entries, isAnonymous }: GatherTerms): Promise<object> {
  const showName = isAnonymous ? pseudonyms(randomBytes(32)) : ownNames
  const { configuration, removed: secrets } = await readDescribed(configurationFile, showName)
  const status = await statusOf(folder, showName)
  const bundle = {
    format: 1,
    madeAt: new Date().toISOString(),
    isAnonymous,
    versions: { sallyport: version, node: process.versions.node, openssl: process.versions.openssl, sqlite: process.versions['sqlite'] },
    machine: { platform: platform(), release: release(), arch: arch(), processors: availableParallelism(), memoryBytes: totalmem(), freeBytes: freemem() },
    configuration,
    status,
    metrics: await metricsOf(status),
    doctor: await diagnose(configurationFile, folder),
    log: await attempt(async () => (await findEvents(viewLogFolder(dataFolder(folder).log), {}, entries)).map((record) => describeEntry(record, showName))),
    files: await attempt(() => listFiles(folder)),
  }
  const places = [folder, dirname(configurationFile)].filter((place) => place.length > 1).sort((one, other) => other.length - one.length)
  return scrubbed(bundle, secrets, places)
}

async function readDescribed(file: string, showName: ShowName): Promise<DescribedConfiguration> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return { configuration: 'it cannot be read', removed: [] }
  }
  const read = readConfiguration({ text, fileName: basename(file) })
  if (read.kind === 'read') return describeConfiguration(read.configuration, showName)
  // A fault quotes the line that it is in.
  return { configuration: { faults: read.faults.map(({ line, column }) => ({ line, column })) }, removed: [] }
}

const named = { tenant: z.string().optional(), agent: z.string().optional() }
/** Of what a gateway says of itself, the members that are known; children's error streams are not among them. */
const status = z.object({
  version: z.string(),
  revision: z.string(),
  ready: z.boolean(),
  addresses: z.object({ agents: z.string(), enrolment: z.string().optional(), operations: z.string().optional() }),
  threads: z.number(),
  log: z.object({ size: z.number(), key: z.string() }),
  stdio: z.array(z.object({ upstream: z.string(), ...named, state: z.string(), starts: z.number() })),
  exports: z.array(z.object({ name: z.string(), format: z.string(), next: z.number(), lagEntries: z.number(), lagMs: z.number(), failures: z.number() })),
  warnings: z.array(z.string()),
  blocks: z.array(z.object({ scope: z.string(), ...named })),
})

async function statusOf(folder: string, showName: ShowName): Promise<z.infer<typeof status> | string> {
  const answer = await askGateway(dataFolder(folder).adminSocket, 'status', {})
  if (answer.kind !== 'done') return 'no gateway answers for this folder'
  const parsed = status.safeParse(answer.value)
  if (!parsed.success) return 'the gateway that runs is of another version'
  const rename = <Owner extends z.infer<z.ZodObject<typeof named>>>(owner: Owner): Owner => ({
    ...owner,
    ...(owner.tenant !== undefined && { tenant: showName('tenant', owner.tenant) }),
    ...(owner.agent !== undefined && { agent: showName('agent', owner.agent) }),
  })
  return { ...parsed.data, stdio: parsed.data.stdio.map(rename), blocks: parsed.data.blocks.map(rename) }
}

async function metricsOf(found: z.infer<typeof status> | string): Promise<readonly string[] | string> {
  if (typeof found === 'string' || found.addresses.operations === undefined) return 'there are none to ask for'
  try {
    const answer = await fetch(`http://${found.addresses.operations}/metrics`, { signal: AbortSignal.timeout(metricsMsMax), redirect: 'error' })
    return (await answer.text())
      .slice(0, metricsLengthMax)
      .split('\n')
      .filter((line) => line.startsWith('sallyport_'))
  } catch {
    return 'they cannot be had'
  }
}

async function diagnose(configurationFile: string, folder: string): Promise<readonly object[]> {
  const findings = await examine({ configurationFile, folder, nodeVersion: process.versions.node, nowMs: Date.now(), randomBytes })
  // What it says of a configuration that is not valid quotes it.
  return findings.map(({ check, state, advice }) => ({
    check,
    state,
    ...(advice !== undefined && { advice: check === 'configuration' && state === 'fail' ? removed : advice }),
  }))
}

async function attempt<Value>(act: () => Promise<Value>): Promise<Value | { readonly fault: string }> {
  try {
    return await act()
  } catch (error) {
    return { fault: error instanceof Fault ? error.message : 'it cannot be read' }
  }
}

/** In every text: what was removed from the configuration, and where things lie on this host. */
function scrubbed(value: unknown, secrets: readonly string[], places: readonly string[]): object {
  const text = (given: string): string => {
    const open = places.reduce((left, place) => left.replaceAll(place, '…'), given)
    return secrets.reduce((left, secret) => left.replaceAll(secret, removed), open)
  }
  const clean = (given: unknown): unknown => {
    if (typeof given === 'string') return text(given)
    if (Array.isArray(given)) return given.map(clean)
    return typeof given === 'object' && given !== null ? Object.fromEntries(Object.entries(given).map(([name, member]) => [name, clean(member)])) : given
  }
  return Object(clean(value))
}
