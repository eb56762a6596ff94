import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** Writes whole lines in turn; resolves when the stream takes more. */
export type WriteLine = (line: string) => Promise<void>

/** A line to a reader that has gone is dropped: the end of the conversation is seen on its own stream. */
export function lineWriter(stream: Writable): WriteLine {
  let turn = Promise.resolve()
  stream.on('error', () => {})
  return (line) => (turn = turn.then(() => write(stream, `${line}\n`)))
}

async function write(stream: Writable, text: string): Promise<void> {
  if (!stream.writable || stream.write(text)) return
  const drained = Promise.withResolvers<void>()
  stream.once('drain', drained.resolve)
  try {
    await Promise.race([drained.promise, finished(stream).catch(() => {})])
  } finally {
    stream.removeListener('drain', drained.resolve)
  }
}
