import type { Configuration } from '@sallyport/contract'
import type { ShowName } from './pseudonyms.ts'

export const removed = '[removed]'

/**
 * The fields whose values are shown; of every other field, those to come included, only the name is. `*` is any name, `[]` any place in a list.
 *
 * Left out on purpose: whatever an operator may have written a secret into. That is `env`, arguments of programs, formats of credentials, paths of URLs and operations,
 * conditions with their literals, and names of files.
 */
const shown: ReadonlySet<string> = new Set([
  'version',
  'trustDomain',
  'listen',
  'enrolment',
  'operations',
  'log.listen',
  'log.quorum',
  'log.archive.retain',
  'log.archive.every',
  'log.archive.s3.region',
  'log.archive.s3.secret',
  'log.witnesses[].vkey',
  'names[]',
  'certificates.*',
  'threads',
  'limits.*',
  'searchIndex',
  'exports.*.format',
  'exports.*.rotate.*',
  'alerts.refreshesPerAgent',
  'alerts.refreshesPerTenant',
  'alerts.providerSlow',
  'alerts.webhook.secret',
  'alerts.webhook.perMinute',
  'telemetry.traces.sample',
  'telemetry.traces.trust',
  'telemetry.traces.propagate',
  'telemetry.metrics.interval',
  'telemetry.traces.headers.*.secret',
  'telemetry.metrics.headers.*.secret',
  ...[
    'protocol',
    'api',
    'ticket',
    'scopes[]',
    'hosts[]',
    'headers[]',
    'encodedSlashes',
    'serverRequests[]',
    'sandbox',
    'network',
    'idle',
    'connections',
    'answerBytesMax',
    'operations[].name',
    'operations[].method',
    'credential.secret',
    'credential.header',
    'secrets.*',
    'addresses.allow[]',
    'addresses.pin[]',
    'deadlines.*',
    'maxOutputTokens',
    'prices.*.*',
  ].map((field) => `upstreams.*.${field}`),
  ...['id', 'match.*', 'match.*[]', 'then', 'approval.expires', 'mode'].map((field) => `rules[].${field}`),
  ...['id', 'match.*', 'match.*[]', 'per[]', 'requests', 'tokens', 'cost', 'window', 'burst'].map((field) => `quotas[].${field}`),
])
const urls: ReadonlySet<string> = new Set([
  'upstreams.*.url',
  'log.witnesses[].url',
  'telemetry.traces.endpoint',
  'telemetry.metrics.endpoint',
  'alerts.webhook.url',
  'exports.*.to',
])
/** Whose members have names that the operator chose. */
const named =
  /^(?:upstreams|upstreams\.\*\.(?:prices|secrets|env)|upstreams\.\*\.prices\.\*|limits|certificates|telemetry\.(?:traces|metrics)\.headers|exports|exports\.\*\.rotate|upstreams\.\*\.deadlines|(?:rules|quotas)\[\]\.match)$/

export interface DescribedConfiguration {
  readonly configuration: unknown
  /** What was removed. To be looked for elsewhere. */
  readonly removed: readonly string[]
}

/** The configuration with its names and its harmless values. */
export function describeConfiguration(configuration: Configuration, showName: ShowName): DescribedConfiguration {
  const taken = new Set<string>()
  return { configuration: describe(configuration, '', '', showName, taken), removed: [...taken] }
}

function describe(value: unknown, path: string, field: string, showName: ShowName, taken: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((member) => describe(member, `${path}[]`, field, showName, taken))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        const below = named.test(path) ? '*' : name
        return [name, describe(member, path === '' ? below : `${path}.${below}`, name, showName, taken)]
      }),
    )
  }
  if (shown.has(path)) return typeof value === 'string' && /\.match\.\*/.test(path) ? matchName(field, value, showName) : value
  takeNote(value, taken)
  return urls.has(path) && typeof value === 'string' ? originOf(value, taken) : removed
}

function matchName(field: string, glob: string, showName: ShowName): string {
  return (field === 'agent' || field === 'tenant') && glob !== '*' ? showName(field, glob) : glob
}

/** Scheme, host and port. */
function originOf(text: string, taken: Set<string>): string {
  const url = URL.parse(text)
  if (!url) return removed
  for (const part of [url.username, url.password, url.pathname, ...url.pathname.split('/'), ...url.searchParams.values(), url.hash]) takeNote(part, taken)
  return `${url.protocol}//${url.host}`
}

/** A shorter text would be found everywhere. */
const notedLengthMin = 6

function takeNote(value: unknown, taken: Set<string>): void {
  if (typeof value === 'string' && value.length >= notedLengthMin) taken.add(value)
}
