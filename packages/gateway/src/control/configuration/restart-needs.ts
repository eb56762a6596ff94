import { isDeepStrictEqual } from 'node:util'
import type { Configuration } from '@sallyport/contract'

/** What a reload leaves as it is: it says so in its answer. Of the limits, `judgedBodyBytes` alone is part of the snapshot; of sessions, the providers and who needs one. */
const readAtStart = [
  'trustDomain',
  'listen',
  'enrolment',
  'operations',
  'log',
  'names',
  'certificates',
  'sessions',
  'alerts',
  'runtimes',
  'cluster',
  'limits',
  'threads',
  'telemetry',
  'exports',
  'searchIndex',
] as const

/** The fields that say something else than what runs. */
export function restartNeeds(running: Configuration, next: Configuration): readonly (typeof readAtStart)[number][] {
  const [before, after] = [atStart(running), atStart(next)]
  return readAtStart.filter((field) => !isDeepStrictEqual(before[field], after[field]))
}

function atStart({ limits, sessions, ...fields }: Configuration) {
  const canLogIn = Object.keys(sessions?.providers ?? {}).length > 0
  return { ...fields, limits: { ...limits, judgedBodyBytes: undefined }, sessions: sessions && { ...sessions, required: undefined, providers: canLogIn } }
}
