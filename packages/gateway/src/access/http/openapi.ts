import { parseDocument } from 'yaml'
import { z } from 'zod'

export interface ImportedOperation {
  readonly name: string
  readonly method: string
  readonly path: string
  /** Query parameters that may be repeated. */
  readonly lists: string[]
}

export type ImportedOpenApi =
  { readonly kind: 'invalid'; readonly message: string } | { readonly kind: 'imported'; readonly operations: readonly ImportedOperation[] }

export const openApiBytesMax = 16_777_216
const operationsMax = 10_000
/** How often YAML aliases may be expanded: the "billion laughs" document stays small on disk. */
const aliasesMax = 1000

const server = z.object({ url: z.string().max(2048), variables: z.record(z.string(), z.object({ default: z.union([z.string(), z.number()]) })).optional() })
const servers = z.array(server).max(100).optional()
const parameters = z.array(z.unknown()).max(1000).optional()
const operation = z.object({ operationId: z.string().max(1024).optional(), servers, parameters }).optional()
const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const
const pathItem = z.object({
  servers,
  parameters,
  get: operation,
  head: operation,
  post: operation,
  put: operation,
  patch: operation,
  delete: operation,
  options: operation,
})
const openApi = z.object({
  openapi: z.string().regex(/^3\.[0-9]+\.[0-9]+/),
  servers,
  paths: z.record(z.string(), pathItem).optional(),
  components: z.object({ parameters: z.record(z.string(), z.unknown()).optional(), schemas: z.record(z.string(), z.unknown()).optional() }).optional(),
})

/**
 * Reads the operations of an OpenAPI 3 document, YAML or JSON. A path item that is only a reference adds nothing.
 *
 * Paths come out relative to `basePath`, the path of the upstream's own URL: where the document's server has a longer path, the rest is put in front.
 *
 * @see OpenAPI Specification 3.1 sections 4.8.5 and 4.8.8
 */
export function importOpenApi(text: string, basePath: string): ImportedOpenApi {
  if (Buffer.byteLength(text) > openApiBytesMax) return invalid(`larger than ${openApiBytesMax} bytes`)
  const read = readDocument(text)
  if (read.kind === 'invalid') return read
  const parsed = openApi.safeParse(read.value)
  if (!parsed.success) return invalid(`not an OpenAPI 3 document: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`)
  const operations: ImportedOperation[] = []
  const taken = new Set<string>()
  for (const [path, item] of Object.entries(parsed.data.paths ?? {})) {
    if (!path.startsWith('/')) continue // an extension, x-...
    for (const method of methods) {
      const one = item[method]
      if (!one) continue
      if (operations.length >= operationsMax) return invalid(`more than ${operationsMax} operations`)
      const [nearest] = one.servers ?? item.servers ?? parsed.data.servers ?? []
      const name = uniqueName(one.operationId, method, path, taken)
      const lists = [...(item.parameters ?? []), ...(one.parameters ?? [])].flatMap((each) => listIn(each, parsed.data.components) ?? [])
      operations.push({ name, method: method.toUpperCase(), path: `${prefixOf(nearest, basePath)}${path}`, lists })
    }
  }
  return { kind: 'imported', operations }
}

const reference = z.object({ $ref: z.string() })
const listParameter = z.object({ name: z.string(), in: z.literal('query'), explode: z.boolean().optional(), schema: z.unknown() })
const listSchema = z.object({ type: z.union([z.literal('array'), z.array(z.string()).refine((types) => types.includes('array'))]) })

/** The name of a query parameter that comes once for each item of a list. @see OpenAPI Specification 3.1 section 4.8.12 */
function listIn(given: unknown, components: z.infer<typeof openApi>['components']): string | undefined {
  const parameter = listParameter.safeParse(target(given, '#/components/parameters/', components?.parameters))
  if (!parameter.success || parameter.data.explode === false) return undefined
  const isList = listSchema.safeParse(target(parameter.data.schema, '#/components/schemas/', components?.schemas)).success
  return isList ? parameter.data.name : undefined
}

/** What a reference within the document leads to; one that leads elsewhere adds nothing. */
function target(given: unknown, place: string, components: Readonly<Record<string, unknown>> | undefined): unknown {
  const found = reference.safeParse(given)
  if (!found.success || !found.data.$ref.startsWith(place)) return given
  return components?.[found.data.$ref.slice(place.length)]
}

function readDocument(text: string): { readonly kind: 'invalid'; readonly message: string } | { readonly kind: 'read'; readonly value: unknown } {
  try {
    const document = parseDocument(text, { version: '1.2', uniqueKeys: true })
    const [error] = document.errors
    return error ? invalid(error.message) : { kind: 'read', value: document.toJS({ maxAliasCount: aliasesMax }) }
  } catch (error) {
    return invalid(error instanceof Error ? error.message : 'unreadable')
  }
}

function invalid(message: string): { readonly kind: 'invalid'; readonly message: string } {
  return { kind: 'invalid', message }
}

function uniqueName(operationId: string | undefined, method: string, path: string, taken: Set<string>): string {
  const described = wordOf(`${method}_${path}`)
  const wanted = operationId === undefined ? described : wordOf(operationId)
  const candidates = [wanted, described, ...Array.from({ length: 100 }, (_, index) => `${described.slice(0, 120)}_${index + 2}`)]
  const name = candidates.find((candidate) => !taken.has(candidate)) ?? described
  taken.add(name)
  return name
}

function wordOf(text: string): string {
  const word = text.replace(/[^A-Za-z0-9.-]+/g, '_').replace(/^_+|_+$/g, '')
  return word.slice(0, 128) || 'operation'
}

function prefixOf(given: z.infer<typeof server> | undefined, basePath: string): string {
  const url = given?.url.replace(/\{([^{}]*)\}/g, (whole, name: string) => String(given.variables?.[name]?.default ?? whole))
  const path = (url === undefined ? undefined : URL.parse(url, 'http://relative.invalid')?.pathname)?.replace(/\/$/, '') ?? ''
  if (basePath === '') return path
  // A document whose server lies elsewhere was written for another mount point; the upstream's URL says where it is here.
  return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : ''
}
