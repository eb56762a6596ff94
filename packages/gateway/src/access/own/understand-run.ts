import { ownPaths, parseJson, recordLimits, recordsRequest, refused, runRequest, type RecordsRequest, type Refused } from '@sallyport/contract'
import type { Inbound } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import { readJudgedBody } from '../judged-body.ts'

/** What a runtime says about its run. It is no call: it goes nowhere but into the log. */
export interface RunMessage {
  readonly id: string
  readonly principal: Principal
  /** A run that begins, or what is recorded in one. */
  readonly message: { readonly run: string; readonly first?: undefined } | RecordsRequest
}

const schemas = { [ownPaths.runs]: runRequest, [ownPaths.records]: recordsRequest }

export function isRunPath(path: string): path is keyof typeof schemas {
  return Object.hasOwn(schemas, path)
}

/** Refuses `access.unknown-target`, `access.method-not-allowed`, `access.too-large` and `access.malformed`. */
export async function understandRun(path: keyof typeof schemas, principal: Principal, inbound: Inbound): Promise<RunMessage | Refused> {
  if (inbound.query !== '') return refused('access.unknown-target')
  if (inbound.method !== 'POST') return refused('access.method-not-allowed', undefined, { detail: 'Use POST.' })
  const body = await readJudgedBody(inbound, recordLimits.messageBytesMax)
  if (body.kind === 'refused') return body
  const parsed = parseJson(body.bytes)
  if (parsed.kind === 'refused') return refused('access.malformed', parsed.reason, { detail: `The body is not strict JSON: ${parsed.reason}` })
  const message = schemas[path].safeParse(parsed.value)
  if (message.success) return { id: inbound.id, principal, message: message.data }
  const [issue] = message.error.issues
  const detail = `The body does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'another shape'}.`
  return refused('access.malformed', 'the body is no message of a runtime', { detail: detail.slice(0, detailUnitsMax) })
}

const detailUnitsMax = 512
