import type { z } from 'zod'
import { suggest } from '../../suggest.ts'
import { knownFields } from './known-fields.ts'
import type { Aspect } from './source-map.ts'
import { upstreamBranch } from './upstream-branch.ts'

type Issue = z.core.$ZodIssue
type Path = readonly (string | number)[]

/** What the schema found, in an operator's words. */
export interface Explained {
  readonly path: Path
  readonly aspect: Aspect
  readonly message: string
  readonly hint?: string
}

/** One or more faults: an unknown field each, a wrong value, or whatever is wrong inside the kind of upstream that was meant. */
export function explainIssue(issue: Issue, root: unknown, above: Path = []): readonly Explained[] {
  const path: Path = [...above, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], aspect: 'name', message: `unknown field '${key}'`, ...hintFor(key, path, root) }))
    case 'invalid_union':
      return explainUnion(issue.errors, path, root)
    case 'invalid_key':
      return [{ path, aspect: 'name', message: `expected a name: ${issue.issues[0]?.message ?? issue.message}` }]
    case 'invalid_type':
      return [wrongType(issue, path, root)]
    case 'invalid_value':
      return [
        { path, aspect: 'value', message: `expected ${oneOf(issue.values.map(String))}`, ...suggestion(String(valueAt(root, path)), issue.values.map(String)) },
      ]
    case 'too_small':
    case 'too_big':
      return [{ path, aspect: 'value', message: outOfBounds(issue) }]
    case 'invalid_format':
      return [{ path, aspect: 'value', message: issue.format === 'url' ? 'expected a URL that begins with http:// or https://' : `expected ${issue.message}` }]
    default:
      return [{ path, aspect: 'value', message: issue.message }]
  }
}

function explainUnion(branches: readonly (readonly Issue[])[], path: Path, root: unknown): readonly Explained[] {
  const value = valueAt(root, path)
  if (path[0] === 'upstreams' && path.length === 2 && typeof value === 'object' && value !== null) {
    const branch = upstreamBranch(value)
    if (branch !== undefined) return (branches[branch] ?? []).flatMap((issue) => explainIssue(issue, root, path))
    const given: unknown = 'protocol' in value ? value.protocol : undefined
    if (given === undefined) return [{ path, aspect: 'name', message: 'the upstream says no protocol', hint: 'add protocol: http, mcp, llm or a2a' }]
    return [
      {
        path: [...path, 'protocol'],
        aspect: 'value',
        message: 'expected one of http, mcp, llm, a2a',
        ...suggestion(typeof given === 'string' ? given : '', ['http', 'mcp', 'llm', 'a2a']),
      },
    ]
  }
  // Of a text or a list, the one that was begun; of a text or a certain word, both.
  const begun = branches.find((issues) => issues.every((issue) => issue.path.length > 0 || (issue.code !== 'invalid_type' && issue.code !== 'invalid_value')))
  const [first] = (begun ?? branches.find((issues) => !issues.some(({ code }) => code === 'invalid_value')) ?? []).flatMap((issue) =>
    explainIssue(issue, root, path),
  )
  const words = branches.flat().flatMap((issue) => (issue.code === 'invalid_value' && issue.path.length === 0 ? issue.values.map(String) : []))
  if (!first) return [{ path, aspect: 'value', message: `expected ${words.join(' or ')}` }]
  return [{ ...first, message: [first.message, ...words].join(' or ') }]
}

function wrongType(issue: Extract<Issue, { code: 'invalid_type' }>, path: Path, root: unknown): Explained {
  const value = valueAt(root, path)
  const expected = typeNames[issue.expected] ?? issue.expected
  if (value === undefined) {
    const field = path.at(-1)
    return { path, aspect: 'name', message: `the field '${field}' is missing`, hint: `add ${field}: with ${expected}` }
  }
  if (value === null) return { path, aspect: 'name', message: `expected ${expected}, found nothing`, hint: 'give it a value, or remove the field' }
  const hint = issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean') ? { hint: 'put it in quotes' } : {}
  return { path, aspect: 'value', message: `expected ${expected}, found ${nameOfType(value)}`, ...hint }
}

function oneOf(words: readonly string[]): string {
  return words.length > 2 ? `one of ${words.join(', ')}` : words.join(' or ')
}

function outOfBounds(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum
  const unit = issue.origin === 'string' ? ' character' : issue.origin === 'array' ? ' element' : ''
  return `expected at ${issue.code === 'too_small' ? 'least' : 'most'} ${bound}${unit}${unit !== '' && Number(bound) !== 1 ? 's' : ''}`
}

function hintFor(key: string, path: Path, root: unknown): { readonly hint?: string } {
  const known = knownFields(path, root)
  const meant = suggest(key, known)
  if (meant !== undefined) return { hint: meant }
  return known.length > 0 ? { hint: `fields here are ${known.join(', ')}` } : {}
}

function suggestion(given: string, known: readonly string[]): { readonly hint?: string } {
  const hint = known.includes(given) ? 'without quotes' : suggest(given, known)
  return hint === undefined ? {} : { hint }
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const step of path) {
    value = typeof value === 'object' && value !== null ? Object.entries(value).find(([name]) => name === String(step))?.[1] : undefined
  }
  return value
}

function nameOfType(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeNames[typeof value] ?? typeof value
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a group of fields',
  record: 'a group of fields',
  string: 'a text',
}
