import { createHash } from 'node:crypto'
import { canonicalJson, configuration as schema, type Configuration, type Json } from '@sallyport/contract'
import { isAlias, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import type { ConfigurationFault } from './configuration-fault.ts'
import { explainIssue } from './explain-issue.ts'
import { SourceMap, type Aspect, type Path } from './source-map.ts'

/** Largest file that is read, in UTF-16 units. */
export const configurationLengthMax = 1_048_576
/** Most faults that are told at once. */
export const faultsMax = 50

export interface ConfigurationSource {
  readonly text: string
  /** As it shall stand in messages. */
  readonly fileName: string
}

/** A fault that a later stage found, by its path. */
export interface FaultAt {
  readonly where: Path
  readonly message: string
  readonly hint?: string
  /** UTF-16 units into the text at `where`. */
  readonly offset?: number
}

export interface ReadConfiguration {
  readonly kind: 'read'
  readonly configuration: Configuration
  /** Gives a fault of a later stage its place in the file. */
  place(fault: FaultAt): ConfigurationFault
}

/**
 * Reads `sallyport.yaml`, or says everything that is wrong with it: YAML syntax, a field given twice, unknown fields, values that do not fit.
 *
 * Refuses anchors and aliases, which can make a small file huge. Whether rules and upstreams make sense is for their own stages; `place` puts what they find
 * at its line.
 */
export function readConfiguration(
  source: ConfigurationSource,
): { readonly kind: 'invalid'; readonly faults: readonly ConfigurationFault[] } | ReadConfiguration {
  const { text, fileName } = source
  if (text.length > configurationLengthMax) {
    return {
      kind: 'invalid',
      faults: [{ file: fileName, line: 1, column: 1, path: [], message: `the file is larger than ${configurationLengthMax} characters` }],
    }
  }
  const lines = new LineCounter()
  const document = parseYaml(text, lines)
  if (!document) return { kind: 'invalid', faults: [{ file: fileName, line: 1, column: 1, path: [], message: 'the file is nested too deeply' }] }
  const map = new SourceMap(document, lines, text)
  const syntax = syntaxFaults(document, map, fileName)
  if (syntax.length > 0) return { kind: 'invalid', faults: syntax.slice(0, faultsMax) }

  const value: unknown = document.toJS({ maxAliasCount: 0 })
  if (value === null || value === undefined) {
    const hint = 'sallyport init writes one to begin with'
    return { kind: 'invalid', faults: [{ file: fileName, line: 1, column: 1, path: [], message: 'the file says nothing', hint }] }
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const faults = parsed.error.issues
      .flatMap((issue) => explainIssue(issue, value))
      .map(({ path, aspect, message, hint }) => faultAt(map, fileName, { where: path, message, ...(hint !== undefined && { hint }) }, aspect))
    return { kind: 'invalid', faults: faults.sort((one, other) => one.line - other.line || one.column - other.column).slice(0, faultsMax) }
  }
  return {
    kind: 'read',
    configuration: parsed.data,
    place: (fault) => faultAt(map, fileName, fault),
  }
}

/**
 * SHA-256 of the canonical form together with the digests of the files that the configuration names, base64url: two that say the same, in the same files, have
 * the same.
 */
export function revisionOf(configuration: Configuration, files: Readonly<Record<string, string>>): string {
  const plain: Json = JSON.parse(JSON.stringify({ configuration, files }))
  return createHash('sha256').update(canonicalJson(plain)).digest('base64url')
}

function parseYaml(text: string, lineCounter: LineCounter): Document | undefined {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, strict: true, uniqueKeys: true, version: '1.2', merge: false, stringKeys: true })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function syntaxFaults(document: Document, map: SourceMap, file: string): readonly ConfigurationFault[] {
  const found: { readonly offset: number; readonly message: string; readonly hint?: string }[] = [...document.errors, ...document.warnings].map(
    ({ pos, message, code }) => ({
      offset: pos[0],
      message: yamlMessages[code] ?? message,
      ...(code === 'TAB_AS_INDENT' && { hint: 'YAML is indented with spaces' }),
    }),
  )
  visit(document, {
    Node: (_, node) => {
      const offset = node.range?.[0] ?? 0
      // An object would take this name for its ancestor's and lose the field.
      if (isScalar(node) && node.value === '__proto__') found.push({ offset, message: 'nothing can be called __proto__' })
      if (isAlias(node) || node.anchor !== undefined) found.push({ offset, message: 'anchors and aliases are not supported', hint: 'write the value out' })
    },
  })
  return found.map(({ offset, message, hint }) => {
    const place = map.at(offset)
    return { file, ...place, path: [], message, ...(hint !== undefined && { hint }), source: map.lineText(place.line) }
  })
}

const yamlMessages: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this field is given twice',
  MULTIPLE_DOCS: 'a second document begins here, and only one is read',
  NON_STRING_KEY: 'a name must be a text',
}

function faultAt(map: SourceMap, file: string, { where, message, hint, offset }: FaultAt, aspect: Aspect = 'value'): ConfigurationFault {
  const place = map.locate(where, aspect, offset)
  // The environment of a child is where secrets end up that should be in the secret store.
  const isSecret = where.includes('env')
  return { file, ...place, path: where, message, ...(hint !== undefined && { hint }), ...(!isSecret && { source: map.lineText(place.line) }) }
}
