/** What a search can ask for exactly, beside `rule` and the time. */
export const searchedNames = ['type', 'tenant', 'agent', 'upstream', 'action', 'act', 'decision', 'code', 'result'] as const
export const searchedReferences = ['request', 'call', 'approval', 'session'] as const

/** What of an entry a search can ask for. */
export interface EntryFacts extends Readonly<Partial<Record<(typeof searchedNames)[number] | (typeof searchedReferences)[number], string>>> {
  /** ISO 8601, UTC, with milliseconds. */
  readonly time: string
  /** Those that decided, that would have in shadow mode, or that found something in an answer. */
  readonly rules: readonly string[]
}

/** What is asked of each entry; every member that is given must fit. */
export interface EventFilter extends Readonly<Partial<Record<(typeof searchedNames)[number] | (typeof searchedReferences)[number], string>>> {
  readonly rule?: string
  /** Not older, as `time` in the entries. */
  readonly since?: string
  /** Not younger. */
  readonly until?: string
}

type Members = Readonly<Record<string, unknown>>

/** Of whatever an entry holds, those of later versions too: what is no text where one is expected counts as absent. */
export function factsOf(entry: object): EntryFacts {
  const event = membersOf(entry)
  const caller = membersOf(event['caller'])
  const subject = membersOf(event['subject'])
  const facts: Partial<Record<keyof EventFilter, string | undefined>> = {
    type: textOf(event['type']),
    tenant: textOf(caller['tenant'] ?? event['tenant'] ?? subject['tenant']),
    agent: textOf(caller['agent'] ?? event['agent'] ?? subject['agent']),
    upstream: textOf(event['upstream']),
    action: textOf(event['action'] ?? event['tool']),
    act: textOf(event['act']),
    decision: textOf(event['decision']),
    code: textOf(event['code']),
    result: textOf(event['result']),
    request: textOf(event['request']),
    call: textOf(event['call']),
    approval: textOf(event['approval']),
    session: textOf(caller['session'] ?? event['session']),
  }
  const named = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
  return { ...named, time: textOf(event['time']) ?? '', rules: rulesOf(event) }
}

export function fits(facts: EntryFacts, { rule, since, until, ...exact }: EventFilter): boolean {
  if (since !== undefined && facts.time < since) return false
  if (until !== undefined && facts.time > until) return false
  if (rule !== undefined && !facts.rules.includes(rule)) return false
  return [...searchedNames, ...searchedReferences].every((name) => exact[name] === undefined || facts[name] === exact[name])
}

function rulesOf(event: Members): readonly string[] {
  const rules = listOf(event['rules']).map(textOf)
  const more = [...listOf(event['shadow']), ...listOf(event['found'])].map((row) => textOf(membersOf(row)['rule']))
  return [...new Set([...rules, ...more])].filter((rule) => rule !== undefined)
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
