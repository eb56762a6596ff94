import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Fault, parseUpstreamName, type Configuration, type UpstreamConfiguration, type UpstreamName } from '@sallyport/contract'
import type { UpstreamAccess } from '../../access/access-snapshot.ts'
import { compileHttpUpstream } from '../../access/http/compile-http-upstream.ts'
import { compileLlmUpstream, llmCredential } from '../../access/llm/llm-upstream.ts'
import { compileMcpUpstream } from '../../access/mcp/mcp-upstream.ts'
import { ownUpstream } from '../../access/own/understand-own.ts'
import { compileUpstreamDefinition, type CompiledDefinition, type TlsFiles, type UpstreamDefinition } from '../../forward/upstream-definition.ts'
import { compilePolicy, type PolicySnapshot } from '../../policy/snapshot.ts'
import type { ConfigurationFault } from './configuration-fault.ts'
import { findUnboundedUse } from './find-unbounded-use.ts'
import { readConfiguration, type FaultAt } from './read-configuration.ts'

/** One revision of `sallyport.yaml`, compiled as a whole or not at all. */
export interface CompiledConfiguration {
  readonly kind: 'compiled'
  readonly configuration: Configuration
  readonly revision: string
  readonly upstreams: ReadonlyMap<UpstreamName, UpstreamAccess>
  readonly definitions: readonly UpstreamDefinition[]
  readonly policy: PolicySnapshot
}

/**
 * Reads and compiles everything that the file says, or tells everything that is wrong with it. Files that it names are relative to `folder`.
 */
export async function compileConfiguration(
  source: { readonly text: string; readonly fileName: string },
  folder: string,
): Promise<CompiledConfiguration | { readonly kind: 'invalid'; readonly faults: readonly ConfigurationFault[] }> {
  const read = readConfiguration(source)
  if (read.kind === 'invalid') return read
  const { configuration, revision } = read
  const faults: FaultAt[] = []
  const upstreams = new Map<UpstreamName, UpstreamAccess>()
  const definitions: UpstreamDefinition[] = []
  for (const [text, given] of Object.entries(configuration.upstreams)) {
    const name = parseUpstreamName(text)
    const at = (path: readonly (string | number)[]): (string | number)[] => ['upstreams', text, ...path]
    if (!name || text === ownUpstream) {
      faults.push({ where: at([]), message: `${text} is a reserved name`, hint: 'choose another name' })
      continue
    }
    try {
      const compiled = await compileUpstream(name, given, folder)
      faults.push(...compiled.faults.map(({ path, ...fault }) => ({ ...fault, where: at(path) })))
      if (compiled.access) upstreams.set(name, compiled.access)
      if (compiled.definition) definitions.push(compiled.definition)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      faults.push({ where: at([]), message: error.message })
    }
  }
  const policy = compilePolicy(configuration.rules, configuration.quotas, { upstreams: Object.keys(configuration.upstreams) })
  if (policy.kind === 'invalid') faults.push(...policy.faults)
  faults.push(...findUnboundedUse(configuration))
  if (faults.length > 0 || policy.kind === 'invalid') return { kind: 'invalid', faults: faults.map((fault) => read.place(fault)) }
  return { kind: 'compiled', configuration, revision, upstreams, definitions, policy: policy.snapshot }
}

interface UpstreamFault {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
}

async function compileUpstream(
  name: UpstreamName,
  given: UpstreamConfiguration,
  folder: string,
): Promise<{ access?: UpstreamAccess; definition?: UpstreamDefinition; faults: readonly UpstreamFault[] }> {
  if ('command' in given) return { access: compileMcpUpstream(name, given), faults: [] }
  const files = await tlsFiles(given.tls, folder)
  if (given.protocol === 'llm') {
    // A model can think for long before the first byte, and no answer goes on for ever.
    const deadlines = { headers: '10m', total: '30m', ...given.deadlines }
    return bothOf(compileLlmUpstream(name, given), compileUpstreamDefinition(name, { ...given, credential: llmCredential(given), deadlines }, files, true))
  }
  const definition = compileUpstreamDefinition(name, given, files)
  const access =
    given.protocol === 'mcp'
      ? { kind: 'compiled' as const, upstream: compileMcpUpstream(name, given) }
      : compileHttpUpstream(name, given, given.openapi === undefined ? undefined : await readNamed(folder, given.openapi))
  return bothOf(access, definition)
}

function bothOf(
  access: { readonly kind: 'invalid'; readonly faults: readonly UpstreamFault[] } | { readonly kind: 'compiled'; readonly upstream: UpstreamAccess },
  definition: CompiledDefinition,
): { access?: UpstreamAccess; definition?: UpstreamDefinition; faults: readonly UpstreamFault[] } {
  return {
    ...(access.kind === 'compiled' && { access: access.upstream }),
    ...(definition.kind === 'compiled' && { definition: definition.definition }),
    faults: [...(access.kind === 'invalid' ? access.faults : []), ...(definition.kind === 'invalid' ? definition.faults : [])],
  }
}

async function tlsFiles(
  tls: { ca?: string | undefined; certificate?: string | undefined; key?: string | undefined } | undefined,
  folder: string,
): Promise<TlsFiles> {
  return {
    ...(tls?.ca !== undefined && { ca: await readNamed(folder, tls.ca) }),
    ...(tls?.certificate !== undefined && { certificate: await readNamed(folder, tls.certificate) }),
    ...(tls?.key !== undefined && { key: await readNamed(folder, tls.key) }),
  }
}

async function readNamed(folder: string, file: string): Promise<string> {
  try {
    return await readFile(resolve(folder, file), 'utf8')
  } catch (error) {
    throw new Fault(`${file} cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}`, 'not-done', error)
  }
}
