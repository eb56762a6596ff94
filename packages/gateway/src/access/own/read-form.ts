import { refused, type Refused } from '@sallyport/contract'
import type { Inbound } from '../../edge/inbound.ts'
import { readJudgedBody } from '../judged-body.ts'
import { parseMediaType } from '../media-type.ts'

export type Form = ReadonlyMap<string, string>

/** Strictly: a parameter that came twice, or bytes that are no form, are read in more than one way. @see RFC 6749 section 3.2 */
export async function readForm(inbound: Inbound, bytesMax: number): Promise<Form | Refused> {
  const types = inbound.headers.filter(([name]) => name === 'content-type')
  const type = types.length === 1 ? parseMediaType(types[0]?.[1] ?? '') : undefined
  const isCoded = inbound.headers.some(([name]) => name === 'content-encoding')
  if (type?.name !== 'application/x-www-form-urlencoded' || isCoded)
    return refused('access.unsupported-media', undefined, { detail: 'The body is application/x-www-form-urlencoded.' })
  const body = await readJudgedBody(inbound, bytesMax)
  if (body.kind === 'refused') return body
  const text = Buffer.from(body.bytes).toString('latin1')
  if (!/^(?:[A-Za-z0-9*._~&=+-]|%[0-9A-Fa-f]{2})*$/.test(text)) return malformed('the body is no form')
  return readParameters(text)
}

/** Of a form or a query. */
export function readParameters(text: string): Form | Refused {
  const parameters = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) return malformed('a parameter came twice')
    parameters.set(name, value)
  }
  return parameters
}

export function malformed(detail: string): Refused {
  return refused('access.malformed', detail, { detail: `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.` })
}
