import { Fault } from '@sallyport/contract'
import type { LogReader } from '@sallyport/contract/log'
import { HttpPlace } from './http-exchange.ts'

/** A bundle has 256 entries of at most 65,535 bytes. */
export const remoteLogLimits = { deadlineMs: 10_000, checkpointBytes: 1_000_000, fileBytes: 256 * (65_535 + 2) } as const

/** A log at a URL, in the form of tlog-tiles. Nothing it gives is trusted. Its verbs throw Fault when it does not answer. */
export function readLogAt(url: string): LogReader & { close(): void } {
  const place = new HttpPlace(url, 1)
  const { deadlineMs, checkpointBytes, fileBytes } = remoteLogLimits
  const get = async (path: string, answerBytesMax: number): Promise<Uint8Array | undefined> => {
    const { status, body } = await place.ask(path, { deadlineMs, answerBytesMax })
    if (status === 200) return body
    if (status === 404) return undefined
    throw new Fault(`${url} answers ${status} for ${path}`, 'not-done')
  }
  return {
    checkpoint: async () => {
      const bytes = await get('checkpoint', checkpointBytes)
      return bytes && new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    },
    tile: (path) => get(path, fileBytes),
    close: () => place.close(),
  }
}
