import type { HttpUpstreamConfiguration, OperationConfiguration, UpstreamName } from '@sallyport/contract'
import { unlisted } from '../access-request.ts'
import { findCrossings, shapeOf } from './find-crossings.ts'
import { objectionToPassing } from './forwardable-headers.ts'
import { importOpenApi } from './openapi.ts'
import { OperationIndex, type Operation } from './operation-index.ts'
import { parseTemplate } from './operation-template.ts'

/** What access needs to know of one HTTP upstream. */
export interface HttpUpstreamAccess {
  readonly protocol: 'http'
  readonly name: UpstreamName
  readonly operations: readonly Operation[]
  readonly index: OperationIndex
  readonly encodedSlashes: boolean
  /** The header that the gateway fills; an agent's own is dropped. */
  readonly credentialHeader: string | undefined
  /** Further headers that reach it. */
  readonly passedHeaders: ReadonlySet<string>
}

export interface HttpUpstreamFault {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
}

export type CompiledHttpUpstream =
  { readonly kind: 'invalid'; readonly faults: readonly HttpUpstreamFault[] } | { readonly kind: 'compiled'; readonly upstream: HttpUpstreamAccess }

/** More faults of one upstream would hide the first. */
const faultsMax = 20

/**
 * Compiles the operations of an upstream; paths of faults start below the upstream's own entry.
 *
 * An operation written by hand replaces an imported one with the same method and template. Two operations that fit one path, neither more specific than the other,
 * are a fault.
 *
 * @param openapiText the content of the file that `openapi` names
 */
export function compileHttpUpstream(name: UpstreamName, configuration: HttpUpstreamConfiguration, openapiText?: string): CompiledHttpUpstream {
  const faults: HttpUpstreamFault[] = []
  const written: Located[] = []
  for (const [index, operation] of (configuration.operations ?? []).entries()) locate(operation, ['operations', index], written, faults)
  const imported: Located[] = []
  if (openapiText !== undefined) {
    const read = importOpenApi(openapiText, basePathOf(configuration.url))
    if (read.kind === 'invalid') faults.push({ path: ['openapi'], message: read.message })
    else for (const operation of read.operations) locate(operation, ['openapi'], imported, faults)
  }
  const replaced = new Set(written.map(({ operation }) => shapeOf(operation)))
  const operations = [...written, ...imported.filter(({ operation }) => !replaced.has(shapeOf(operation)))]
  const credentialHeader = configuration.credential && (configuration.credential.header ?? 'authorization')
  findHeaderFaults(configuration.headers ?? [], credentialHeader, faults)
  findNameFaults(operations, faults)
  findCrossingFaults(operations, faults)
  if (faults.length > 0) return { kind: 'invalid', faults: faults.slice(0, faultsMax) }
  const all = operations.map(({ operation }) => operation)
  return {
    kind: 'compiled',
    upstream: {
      protocol: 'http',
      name,
      operations: all,
      index: new OperationIndex(all),
      encodedSlashes: configuration.encodedSlashes ?? false,
      credentialHeader,
      passedHeaders: new Set(configuration.headers),
    },
  }
}

interface Located {
  readonly operation: Operation
  readonly path: readonly (string | number)[]
}

function locate(
  given: Omit<OperationConfiguration, 'method'> & Pick<Operation, 'method'>,
  path: readonly (string | number)[],
  located: Located[],
  faults: HttpUpstreamFault[],
): void {
  const { name, method, path: template, lists } = given
  const parsed = parseTemplate(template)
  if (parsed.kind === 'invalid') faults.push({ path: path[0] === 'operations' ? [...path, 'path'] : path, message: `${method} ${template}: ${parsed.message}` })
  else located.push({ operation: { name, method, path: template, segments: parsed.segments, lists: new Set(lists) }, path })
}

function findHeaderFaults(headers: readonly string[], credentialHeader: string | undefined, faults: HttpUpstreamFault[]): void {
  for (const [index, name] of headers.entries()) {
    const objection = objectionToPassing(name, credentialHeader)
    if (objection !== undefined) faults.push({ path: ['headers', index], message: `${name}: ${objection}` })
  }
}

function findNameFaults(operations: readonly Located[], faults: HttpUpstreamFault[]): void {
  const taken = new Map<string, Operation>()
  for (const { operation, path } of operations) {
    const other = taken.get(operation.name)
    if (operation.name === unlisted)
      faults.push({ path: [...path, 'name'], message: `${unlisted} is the action of calls that fit no operation`, hint: 'choose another name' })
    if (other) faults.push({ path, message: `two operations are named ${operation.name}: ${titleOf(other)} and ${titleOf(operation)}` })
    taken.set(operation.name, operation)
  }
}

function findCrossingFaults(operations: readonly Located[], faults: HttpUpstreamFault[]): void {
  const { pairs, isComplete } = findCrossings(operations, faultsMax)
  for (const [earlier, later] of pairs) {
    faults.push({
      path: later.path,
      message: `${titleOf(earlier.operation)} and ${titleOf(later.operation)} fit the same path, and neither is the more specific`,
      hint: 'add an operation for the paths that fit both, or drop one',
    })
  }
  if (!isComplete)
    faults.push({
      path: ['operations'],
      message: 'too many operations have parameters at the same place to compare each with each',
      hint: 'split the upstream into several, each with a part of the operations',
    })
}

function titleOf({ method, path }: Operation): string {
  return `${method} ${path}`
}

function basePathOf(url: string): string {
  return URL.parse(url)?.pathname.replace(/\/$/, '') ?? ''
}
