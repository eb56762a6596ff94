import type { MatchConfiguration } from '@sallyport/contract'
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
  matches(text: string): boolean
}

export type Match = Readonly<Record<Dimension, FieldMatch>>

const anything: FieldMatch = { literals: undefined, matchesAll: true, matches: () => true }

export function compileMatch(configuration: MatchConfiguration): Match {
  const { tenant, agent, upstream, action } = configuration
  return { tenant: compileField(tenant), agent: compileField(agent), upstream: compileField(upstream), action: compileField(action) }
}

export function matchesSubject(match: Match, subject: Subject): boolean {
  return dimensions.every((dimension) => match[dimension].matches(subject[dimension]))
}

function compileField(patterns: string | readonly string[] | undefined): FieldMatch {
  if (patterns === undefined) return anything
  const globs = (typeof patterns === 'string' ? [patterns] : patterns).map(compileGlob)
  if (globs.some(({ matchesAll }) => matchesAll)) return anything
  const literals = globs.map(({ literal }) => literal).filter((literal) => literal !== undefined)
  const starred: Glob[] = globs.filter(({ literal }) => literal === undefined)
  const exact = new Set(literals)
  return {
    literals: starred.length === 0 ? literals : undefined,
    matchesAll: false,
    matches: (text) => exact.has(text) || starred.some((glob) => glob.matches(text)),
  }
}
