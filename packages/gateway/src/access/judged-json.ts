import { parseJson, refused, type Json, type Refused } from '@sallyport/contract'
import type { Inbound } from '../edge/inbound.ts'
import { readJudgedBody } from './judged-body.ts'
import type { MediaType } from './media-type.ts'

const jsonDepthMax = 64

export type JudgedJson = { readonly kind: 'none' } | { readonly kind: 'judged'; readonly value: Json; readonly bytes: Uint8Array }

/**
 * Reads a whole JSON body strictly, once. `bytes` are the judged value, written anew; `none` is an empty body.
 *
 * Refuses `access.unsupported-media` for another charset or a coding, `access.too-large` and `access.malformed`.
 *
 * @throws BodyError when the body does not arrive as announced.
 */
export async function readJudgedJson(inbound: Inbound, type: MediaType, bytesMax: number): Promise<JudgedJson | Refused> {
  const charset = type.parameters.get('charset')
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') return refused('access.unsupported-media', undefined, { detail: 'JSON is UTF-8.' })
  const codings = inbound.headers.filter(([name, value]) => name === 'content-encoding' && value.toLowerCase() !== 'identity')
  if (codings.length > 0)
    return refused('access.unsupported-media', undefined, { detail: 'A JSON body must not be compressed: it is read before it is forwarded.' })
  const read = await readJudgedBody(inbound, bytesMax)
  if (read.kind === 'refused') return read
  if (read.bytes.length === 0) return { kind: 'none' }
  const parsed = parseJson(read.bytes, { bytesMax, depthMax: jsonDepthMax, distinctNames: true })
  if (parsed.kind === 'parsed') return { kind: 'judged', value: parsed.value, bytes: Buffer.from(JSON.stringify(parsed.value)) }
  return refused(parsed.flaw === 'too-large' ? 'access.too-large' : 'access.malformed', undefined, { detail: `The body: ${parsed.reason}.` })
}
