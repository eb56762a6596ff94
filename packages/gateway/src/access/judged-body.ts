import { GatheredBytes, refused, type Refused } from '@sallyport/contract'
import type { Inbound } from '../edge/inbound.ts'

/**
 * Reads a whole body that is to be judged. Refuses `access.too-large` past `bytesMax`, before reading when the length is announced.
 *
 * @throws BodyError when the body does not arrive as announced.
 */
export async function readJudgedBody(inbound: Inbound, bytesMax: number): Promise<{ kind: 'read'; bytes: Uint8Array } | Refused> {
  if (!inbound.body) return { kind: 'read', bytes: new Uint8Array(0) }
  const tooLarge = refused('access.too-large', undefined, { detail: `At most ${bytesMax} bytes are read to be judged.` })
  if (inbound.body.length !== undefined && inbound.body.length > bytesMax) return tooLarge
  const gathered = new GatheredBytes()
  for await (const piece of inbound.body.read()) {
    if (gathered.length + piece.length > bytesMax) return tooLarge
    gathered.add(piece)
  }
  return { kind: 'read', bytes: gathered.take() }
}
