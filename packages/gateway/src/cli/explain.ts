import type { Configuration, DecisionEvent, LogEvent } from '@sallyport/contract'
import type { EventFilter } from '../audit/entry-facts.ts'
import type { LogView } from '../audit/log-files.ts'
import type { LogIndex } from '../audit/log-index.ts'
import { readRecord, type LogRecord } from '../audit/reader.ts'
import { searchLog } from '../audit/search-log.ts'
import { tellEvent } from './tell-event.ts'

/** Entries that one explanation shows of each kind. */
const storyMax = 100

/**
 * The story of a request, an approval or an entry, in the order of the log: the decisions, what a person answered, and what became of the call.
 *
 * @param event a request's id, an approval's id, or an index; the `urn:uuid:` of an `instance` may stay
 * @throws Fault when the log cannot be read
 */
export async function findStory(view: LogView, event: string, index?: LogIndex): Promise<readonly LogRecord[]> {
  const text = event.replace(/^urn:uuid:/, '')
  const found = new Map<number, LogRecord>()
  const search = async (filter: EventFilter): Promise<readonly LogRecord[]> => (await searchLog(view, index, filter, { limit: storyMax })).found
  const add = (records: readonly LogRecord[]): void => records.forEach((record) => found.set(record.index, record))
  if (/^[0-9]{1,12}$/.test(text)) {
    const record = await readRecord(view, Number(text))
    if (!record) return []
    add([record])
  } else {
    add(await search({ request: text }))
    add(await search({ approval: text }))
  }
  const seeds = [...found.values()].map((record) => record.event)
  for (const approval of new Set(seeds.flatMap(approvalOf))) add(await search({ approval }))
  for (const request of new Set([...found.values()].flatMap((record) => requestOf(record.event)))) add(await search({ request }))
  return [...found.values()].sort((one, other) => one.index - other.index)
}

function approvalOf(event: LogEvent): readonly string[] {
  return 'approval' in event && event.approval !== undefined ? [event.approval] : []
}

function requestOf(event: LogEvent): readonly string[] {
  return 'request' in event && event.request !== undefined ? [event.request] : []
}

/** For a person. `current`: what the file says now; it counts for decisions of its own revision only. */
export function tellStory(records: readonly LogRecord[], current: { readonly configuration: Configuration; readonly revision: string } | undefined): string {
  return records
    .map(({ index, event }) => {
      const text = event.type === 'decision' ? tellDecision(event, current?.revision === event.revision ? current.configuration : undefined) : tellEvent(event)
      return `${event.time}  entry ${index}\n  ${text}`
    })
    .join('\n')
}

const verdicts = { permit: 'PERMITTED', deny: 'DENIED', hold: 'HELD for a person' } as const

function tellDecision(event: DecisionEvent, configuration: Configuration | undefined): string {
  const { decision, caller, upstream, action, resource, payload, facts = {}, shadow = [], approval, approvalExpires, quotas, request, revision, reason } = event
  const read = Object.entries(facts).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  return [
    `${verdicts[decision]} ${whyOf(event, configuration)}: ${caller.tenant}/${caller.agent}${caller.session === undefined ? '' : ` in session ${caller.session}`} asked ${upstream} for ${action} ${resource}.`,
    ...(reason === undefined ? [] : [`Reason: ${reason}.`]),
    ...(read.length === 0 ? [] : [`Its conditions read ${read.join(', ')}.`]),
    ...(payload?.capture === 'sealed' ? ['Its arguments were kept, sealed: "sallyport log payload" with the number of this entry shows them.'] : []),
    ...(approval === undefined ? [] : [`The approval is ${approval}${approvalExpires === undefined ? '' : `, good until ${approvalExpires}`}.`]),
    ...(quotas === undefined || event.code === 'policy.quota-exhausted' ? [] : [`It was counted by ${quotas.join(', ')}.`]),
    ...shadow.map((one) => `Rule ${one.rule}, in shadow mode, would have said ${one.decision}.`),
    `Request ${request}, judged by revision ${revision}.`,
  ].join('\n  ')
}

function whyOf({ rules, code, quotas }: DecisionEvent, configuration: Configuration | undefined): string {
  const named = rules.map((id) => {
    const when = configuration?.rules.find((rule) => rule.id === id)?.when
    return when === undefined ? id : `${id} (when ${when})`
  })
  const by = named.length === 0 ? '' : `by ${named.length === 1 ? 'rule' : 'rules'} ${named.join(', ')}`
  if (code === 'policy.quota-exhausted') return `because ${quotas === undefined ? 'a quota' : `quota ${quotas.join(', ')}`} is exhausted (${code})`
  if (code === 'policy.no-rule') return `because no rule permits it (${code})`
  const known = code === undefined ? '' : ` (${code})`
  return `${by === '' ? 'by no rule' : by}${known}`
}
