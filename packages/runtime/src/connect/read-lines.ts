import { GatheredBytes } from '@sallyport/contract'

export type Line = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too-long' }

/**
 * Splits bytes into lines of UTF-8, blank ones left out, a last one without an end included. A line beyond `lineBytesMax` is skipped to its end and reported in its
 * place, so that one bad message does not end the conversation.
 */
export async function* readLines(pieces: AsyncIterable<Uint8Array>, lineBytesMax: number): AsyncGenerator<Line> {
  const held = new GatheredBytes()
  let isSkipping = false
  const take = (): Line | undefined => {
    const text = Buffer.from(held.take()).toString('utf8').trim()
    const line: Line | undefined = isSkipping ? { kind: 'too-long' } : text === '' ? undefined : { kind: 'line', text }
    isSkipping = false
    return line
  }
  const hold = (part: Uint8Array): void => {
    isSkipping ||= held.length + part.length > lineBytesMax
    if (isSkipping) held.take()
    else held.add(part)
  }
  for await (const piece of pieces) {
    let start = 0
    for (let end = piece.indexOf(0x0a); end !== -1; end = piece.indexOf(0x0a, start)) {
      hold(piece.subarray(start, end))
      start = end + 1
      const line = take()
      if (line) yield line
    }
    if (start < piece.length) hold(piece.subarray(start))
  }
  const last = take()
  if (last) yield last
}
