import type { MatchConfiguration } from '@sallyport/contract'
import { ownUpstream, unlisted } from '../access/access-request.ts'
import { compileGlob, type Glob } from './glob.ts'

/** What a `match` looks at, in the order in which keys are built. */
export const dimensions = ['tenant', 'agent', 'upstream', 'action'] as const
export type Dimension = (typeof dimensions)[number]

/** Who calls what: the literal part of a question. */
export type Subject = Readonly<Record<Dimension, string>>

/** One field of a `match`. */
export interface FieldMatch {
  /** Every text that can match; undefined when a star makes them countless, or when the field was left out. */
  readonly literals: readonly string[] | undefined
  readonly matchesAll: boolean
  /** The texts that are written out, also where stars stand beside them. */
  readonly names: ReadonlySet<string>
  matches(text: string): boolean
}

export type Match = Readonly<Record<Dimension, FieldMatch>>

const anything: FieldMatch = { literals: undefined, matchesAll: true, names: new Set(), matches: () => true }

/**
 * @param opens whether a match lets a call through: then what no operation describes, and what agents ask of the gateway itself, must be named, since nobody who
 * writes a star has it in mind
 */
export function compileMatch(configuration: MatchConfiguration, opens = false): Match {
  const { tenant, agent } = configuration
  const [upstream, action] = [compileField(configuration.upstream), compileField(configuration.action)]
  return {
    tenant: compileField(tenant),
    agent: compileField(agent),
    upstream: opens ? onlyByName(upstream, ownUpstream) : upstream,
    action: opens ? onlyByName(action, unlisted) : action,
  }
}

function onlyByName(field: FieldMatch, name: string): FieldMatch {
  const { literals, matches, names } = field
  return names.has(name) ? field : { literals, matchesAll: false, names, matches: (text) => text !== name && matches(text) }
}

export function matchesSubject(match: Match, subject: Subject): boolean {
  return dimensions.every((dimension) => match[dimension].matches(subject[dimension]))
}

function compileField(patterns: string | readonly string[] | undefined): FieldMatch {
  if (patterns === undefined) return anything
  const globs = (typeof patterns === 'string' ? [patterns] : patterns).map(compileGlob)
  const literals = globs.map(({ literal }) => literal).filter((literal) => literal !== undefined)
  const names = new Set(literals)
  if (globs.some(({ matchesAll }) => matchesAll)) return { ...anything, names }
  const starred: Glob[] = globs.filter(({ literal }) => literal === undefined)
  return {
    literals: starred.length === 0 ? literals : undefined,
    matchesAll: false,
    names,
    matches: (text) => names.has(text) || starred.some((glob) => glob.matches(text)),
  }
}
