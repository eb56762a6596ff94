import { resolve } from 'node:path'
import {
  Fault,
  parseTrustDomain,
  parseUpstreamName,
  type AlertsConfiguration,
  type ClusterConfiguration,
  type Configuration,
  type TrustDomain,
  type UpstreamConfiguration,
  type UpstreamName,
} from '@sallyport/contract'
import { compileA2aUpstream } from '../../access/a2a/a2a-upstream.ts'
import { ownUpstream } from '../../access/access-request.ts'
import type { UpstreamAccess } from '../../access/access-snapshot.ts'
import { compileHttpUpstream } from '../../access/http/compile-http-upstream.ts'
import { compileLlmUpstream, llmCredential } from '../../access/llm/llm-upstream.ts'
import { compileMcpUpstream } from '../../access/mcp/mcp-upstream.ts'
import {
  compilePeerDefinition,
  compileUpstreamDefinition,
  type CompiledDefinition,
  type TlsFiles,
  type UpstreamDefinition,
} from '../../forward/upstream-definition.ts'
import { readPrivateFile } from '../private-files.ts'
import { compileCluster, type ClusterDefinition } from '../cluster/compile-cluster.ts'
import { compileClientLogins, type ClientLoginDefinition } from '../login/client-login-definition.ts'
import { compileProvider, type ProviderDefinition } from '../login/provider-definition.ts'
import { compileWebhook, type WebhookDefinition } from '../signals/alert-definition.ts'
import type { SessionRules } from '../../identity/identify-session.ts'
import { compileGlob } from '../../policy/glob.ts'
import { compilePolicy, type PolicySnapshot } from '../../policy/snapshot.ts'
import type { ArchiveSettings } from '../../archive/archive-settings.ts'
import type { ExportSettings } from '../../export/export-settings.ts'
import { compileArchive } from './compile-archive.ts'
import { compileExports } from './compile-exports.ts'
import { addressOf, isLoopback } from './addresses.ts'
import type { ConfigurationFault } from './configuration-fault.ts'
import { findOpenPages } from './find-open-pages.ts'
import { findUnknownActions } from './find-unknown-actions.ts'
import { findUnboundedUse } from './find-unbounded-use.ts'
import { NamedFiles, tlsFiles } from './named-files.ts'
import { findWitnessFaults } from './find-witness-faults.ts'
import { readConfiguration, revisionOf, type ConfigurationSource, type FaultAt } from './read-configuration.ts'
import { stdioServerSettings, type StdioServerSettings } from './stdio-server-settings.ts'

/** One revision of `sallyport.yaml`, compiled as a whole or not at all. */
export interface CompiledConfiguration {
  readonly kind: 'compiled'
  readonly configuration: Configuration
  readonly revision: string
  readonly upstreams: ReadonlyMap<UpstreamName, UpstreamAccess>
  readonly definitions: readonly UpstreamDefinition[]
  readonly programs: ReadonlyMap<UpstreamName, StdioServerSettings>
  readonly policy: PolicySnapshot
  readonly exports: readonly ExportSettings[]
  readonly archive: ArchiveSettings | undefined
  readonly sessions: SessionRules
  readonly providers: readonly ProviderDefinition[]
  readonly clients: ClientLoginDefinition | undefined
  readonly cluster: ClusterDefinition | undefined
  readonly webhook: WebhookDefinition | undefined
  /** The private keys that the file names, absolute. */
  readonly keyFiles: readonly string[]
  /** What is valid and yet gives something away. */
  readonly warnings: readonly string[]
}

export interface InvalidConfiguration {
  readonly kind: 'invalid'
  readonly faults: readonly ConfigurationFault[]
}

/**
 * Reads and compiles everything that the file says, or tells everything that is wrong with it. Files that it names are relative to `folder`.
 *
 * @param searchPath where the programs of stdio upstreams are found, as in PATH
 */
export async function compileConfiguration(
  source: ConfigurationSource,
  folder: string,
  searchPath: string,
): Promise<CompiledConfiguration | InvalidConfiguration> {
  const read = readConfiguration(source)
  if (read.kind === 'invalid') return read
  const { configuration } = read
  const files = new NamedFiles(folder)
  const faults: FaultAt[] = []
  const upstreams = new Map<UpstreamName, UpstreamAccess>()
  const definitions: UpstreamDefinition[] = []
  const programs = new Map<UpstreamName, StdioServerSettings>()
  const trustDomain = parseTrustDomain(configuration.trustDomain)
  for (const [text, given] of Object.entries(configuration.upstreams)) {
    const name = parseUpstreamName(text)
    const at = (path: readonly (string | number)[]): (string | number)[] => ['upstreams', text, ...path]
    if (!name || text === ownUpstream) {
      faults.push({ where: at([]), message: `${text} is a reserved name`, hint: 'choose another name' })
      continue
    }
    try {
      const compiled = await compileUpstream(name, given, files, searchPath, trustDomain)
      faults.push(...compiled.faults.map(({ path, message, hint }) => ({ where: at(path), message, ...(hint !== undefined && { hint }) })))
      if (compiled.access) upstreams.set(name, compiled.access)
      if (compiled.definition) definitions.push(compiled.definition)
      if (compiled.program) programs.set(name, compiled.program)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      faults.push({ where: at([]), message: error.message })
    }
  }
  const exports = await compileExports(configuration.exports ?? {}, files)
  const archive = compileArchive(configuration)
  faults.push(...exports.faults, ...archive.faults)
  const providers: ProviderDefinition[] = []
  const warnings: string[] = []
  for (const [name, given] of Object.entries(configuration.sessions?.providers ?? {})) {
    const at = (path: readonly (string | number)[]): (string | number)[] => ['sessions', 'providers', name, ...path]
    try {
      const compiled = compileProvider(name, given, await tlsFiles({ ...given.authentication, ca: given.ca }, files))
      if (compiled.kind === 'invalid') {
        faults.push(...compiled.faults.map(({ path, message, hint }) => ({ where: at(path), message, ...(hint !== undefined && { hint }) })))
        continue
      }
      providers.push(compiled.definition)
      warnings.push(...compiled.warnings.map((warning) => `sessions.providers.${warning}`))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      faults.push({ where: at([]), message: error.message })
    }
  }
  const clients =
    configuration.sessions?.clients && compileClientLogins(configuration.sessions, providers, await clientFiles(configuration.sessions.clients, files, faults))
  faults.push(...(clients?.faults ?? []).map(({ path, ...fault }) => ({ where: ['sessions', 'clients', ...path], ...fault })))
  const cluster = configuration.cluster && (await clusterOf(configuration.cluster, files))
  if (cluster && 'objection' in cluster) faults.push({ where: ['cluster', 'database'], message: cluster.objection })
  const webhook = configuration.alerts?.webhook && (await webhookOf(configuration.alerts.webhook, files))
  faults.push(...(webhook?.faults ?? []))
  const policy = compilePolicy(
    configuration.rules,
    configuration.quotas,
    { upstreams: [...Object.keys(configuration.upstreams), ownUpstream] },
    configuration.results,
    configuration.capture,
  )
  if (policy.kind === 'invalid') faults.push(...policy.faults)
  faults.push(
    ...findUnboundedUse(configuration),
    ...findUnknownActions(configuration, upstreams),
    ...findOpenPages(configuration),
    ...findWitnessFaults(configuration),
  )
  if (faults.length > 0 || policy.kind === 'invalid' || (cluster && 'objection' in cluster))
    return { kind: 'invalid', faults: faults.map((fault) => read.place(fault)) }
  return {
    kind: 'compiled',
    configuration,
    revision: revisionOf(configuration, files.digests),
    upstreams,
    definitions,
    programs,
    policy: policy.snapshot,
    exports: exports.settings,
    archive: archive.settings,
    sessions: compileSessionRules(configuration.sessions?.required ?? []),
    providers,
    clients: clients?.definition,
    cluster,
    webhook: webhook?.definition,
    keyFiles: [
      ...[...Object.values(configuration.upstreams), ...Object.values(configuration.exports ?? {})].flatMap((given) =>
        'tls' in given ? [given.tls?.key] : [],
      ),
      ...Object.values(configuration.sessions?.providers ?? {}).map(({ authentication }) => authentication.key),
      configuration.sessions?.tls?.key,
      configuration.cluster?.tls?.key,
      configuration.cluster?.passwordFile,
    ].flatMap((file) => (file === undefined ? [] : [resolve(folder, file)])),
    warnings: [
      ...warnings,
      ...[...programs].flatMap(([name, { sandbox }]) =>
        sandbox.kind === 'none' ? [`upstreams.${name} runs without a sandbox: its program can read every key of the gateway and act as the operator`] : [],
      ),
      ...Object.entries(configuration.telemetry ?? {}).flatMap(([signal, given]) =>
        given && Object.keys(given.headers ?? {}).length > 0 && isOpenLine(given.endpoint)
          ? [`telemetry.${signal} sends its credentials over plain HTTP to another host: use https`]
          : [],
      ),
      ...warningsOfLog(configuration),
      ...warningsOfAlerts(configuration),
    ],
  }
}

function warningsOfLog({ log }: Configuration): readonly string[] {
  const listen = log?.listen ?? 'off'
  if (listen === 'off' || isLoopback(addressOf(listen))) return []
  return [`log.listen: whoever reaches ${listen} reads every entry of the log: the names of agents and tenants, and what they called`]
}

function warningsOfAlerts({ alerts }: Configuration): readonly string[] {
  if (!alerts?.webhook || alerts.webhook.secret !== undefined) return []
  return ['alerts.webhook has no secret: its receiver cannot tell alerts of the gateway from those of anyone who knows the address']
}

function compileSessionRules(required: string | readonly string[]): SessionRules {
  const globs = (typeof required === 'string' ? [required] : required).map(compileGlob)
  return { isRequired: (tenant) => globs.some((glob) => glob.matches(tenant)) }
}

/** What others can listen to. */
function isOpenLine(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint)
  return protocol === 'http:' && !/^(?:localhost|127\.[0-9.]+|\[::1\])$/.test(hostname)
}

interface UpstreamFault {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
}

interface CompiledUpstream {
  readonly access?: UpstreamAccess
  readonly definition?: UpstreamDefinition
  readonly program?: StdioServerSettings
  readonly faults: readonly UpstreamFault[]
}

async function compileUpstream(
  name: UpstreamName,
  given: UpstreamConfiguration,
  files: NamedFiles,
  searchPath: string,
  trustDomain: TrustDomain | undefined,
): Promise<CompiledUpstream> {
  if ('command' in given) {
    const access = compileMcpUpstream(name, given)
    const program = stdioServerSettings(given, searchPath, files.folder)
    return 'kind' in program ? { access, faults: [program] } : { access, program, faults: [] }
  }
  if (given.protocol === 'a2a') {
    if (!trustDomain) return { faults: [{ path: ['agent'], message: 'without a trust domain there are no agents' }] }
    const access = compileA2aUpstream(name, given, trustDomain)
    return bothOf({ kind: 'compiled', upstream: access }, compilePeerDefinition(name, access.peer.id, given))
  }
  const tls = await tlsFiles(given.tls, files)
  if (given.protocol === 'llm') {
    // A model can think for long before the first byte, and no answer goes on for ever.
    const deadlines = { headers: '10m', total: '30m', ...given.deadlines }
    return bothOf(compileLlmUpstream(name, given), compileUpstreamDefinition(name, { ...given, credential: llmCredential(given), deadlines }, tls, true))
  }
  const definition = compileUpstreamDefinition(name, given, tls)
  const access =
    given.protocol === 'mcp'
      ? { kind: 'compiled' as const, upstream: compileMcpUpstream(name, given) }
      : compileHttpUpstream(name, given, given.openapi === undefined ? undefined : await files.read(given.openapi))
  return bothOf(access, definition)
}

function bothOf(
  access: { readonly kind: 'invalid'; readonly faults: readonly UpstreamFault[] } | { readonly kind: 'compiled'; readonly upstream: UpstreamAccess },
  definition: CompiledDefinition,
): CompiledUpstream {
  return {
    ...(access.kind === 'compiled' && { access: access.upstream }),
    ...(definition.kind === 'compiled' && { definition: definition.definition }),
    faults: [...(access.kind === 'invalid' ? access.faults : []), ...(definition.kind === 'invalid' ? definition.faults : [])],
  }
}

async function clusterOf(given: ClusterConfiguration, files: NamedFiles): Promise<ReturnType<typeof compileCluster>> {
  try {
    // Not through `files`: the revision stands in every entry of the log, and would let whoever reads it try passwords.
    const password = given.passwordFile === undefined ? {} : { password: (await readPrivateFile(resolve(files.folder, given.passwordFile))).trimEnd() }
    return compileCluster(given, { ...(await tlsFiles(given.tls, files)), ...password })
  } catch (error) {
    if (error instanceof Fault) return { objection: error.message }
    throw error
  }
}

async function clientFiles({ ca }: { readonly ca?: string | undefined }, files: NamedFiles, faults: FaultAt[]): Promise<TlsFiles> {
  try {
    return await tlsFiles({ ca }, files)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    faults.push({ where: ['sessions', 'clients', 'ca'], message: error.message })
    return {}
  }
}

type WebhookConfiguration = NonNullable<AlertsConfiguration['webhook']>

async function webhookOf(
  given: WebhookConfiguration,
  files: NamedFiles,
): Promise<{ readonly definition?: WebhookDefinition; readonly faults: readonly FaultAt[] }> {
  const where = ['alerts', 'webhook']
  try {
    const { definition, faults } = compileWebhook(given, await tlsFiles({ ca: given.ca }, files))
    return { definition, faults: faults.map(({ path, message, hint }) => ({ where: [...where, ...path], message, ...(hint !== undefined && { hint }) })) }
  } catch (error) {
    if (error instanceof Fault) return { faults: [{ where, message: error.message }] }
    throw error
  }
}
