import { formatAnswerHead } from './answer-head.ts'
import type { Answer } from './inbound.ts'
import type { Outlet } from './outlet.ts'

export interface AnswerForm {
  /** The request was a HEAD. */
  readonly isHeadOnly: boolean
  /** `connection: close`, or the hint how long the connection is kept. */
  readonly connectionLines: string
  readonly headBytesMax: number
}

/** Larger pieces are cut, so that a slow caller makes progress within the write deadline. */
const sliceBytes = 64 * 1024
const endOfChunks = Buffer.from('0\r\n\r\n', 'latin1')

/**
 * Writes one answer; resolves when all of it is handed to the socket and there is room for more, or the caller is gone.
 *
 * @throws UnsendableAnswer before anything is written.
 * @throws whatever the body throws while it is read. The answer is then without its end, and the connection must be destroyed so that the caller sees that.
 */
export async function writeAnswer(outlet: Outlet, answer: Answer, form: AnswerForm): Promise<void> {
  const { status, body } = answer
  const isBodiless = form.isHeadOnly || status === 204 || status === 304
  if (body instanceof Uint8Array) {
    const lengthLine = status === 204 || status === 304 ? '' : `content-length: ${body.length}\r\n`
    const head = formatAnswerHead(status, answer.headers, lengthLine + form.connectionLines, form.headBytesMax)
    return writeWhole(outlet, head, isBodiless ? nothing : body)
  }
  const pieces = body[Symbol.asyncIterator]()
  try {
    const framingLine = isBodiless ? '' : 'transfer-encoding: chunked\r\n'
    const head = formatAnswerHead(status, answer.headers, framingLine + form.connectionLines, form.headBytesMax)
    if (isBodiless) {
      cancel(pieces)
      return await writeWhole(outlet, head, nothing)
    }
    outlet.gather()
    outlet.write(Buffer.from(head, 'latin1'))
  } catch (error) {
    cancel(pieces)
    throw error
  }
  return writePieces(outlet, pieces)
}

const nothing = new Uint8Array(0)

async function writeWhole(outlet: Outlet, head: string, body: Uint8Array): Promise<void> {
  const first = body.length <= sliceBytes ? body : nothing
  const bytes = Buffer.allocUnsafe(head.length + first.length)
  bytes.write(head, 0, 'latin1')
  bytes.set(first, head.length)
  let hasRoom = outlet.write(bytes)
  for (let offset = first.length; offset < body.length && !outlet.isGone; offset += sliceBytes) {
    if (!hasRoom) await outlet.room()
    hasRoom = outlet.write(body.subarray(offset, offset + sliceBytes))
  }
  if (!hasRoom) await outlet.room()
}

async function writePieces(outlet: Outlet, pieces: AsyncIterator<Uint8Array>): Promise<void> {
  if (outlet.isGone) return cancel(pieces)
  outlet.whenGone(() => cancel(pieces))
  try {
    for (;;) {
      const { done, value } = await pieces.next()
      if (outlet.isGone) return
      outlet.gather()
      if (done === true) break
      for (let offset = 0; offset < value.length && !outlet.isGone; offset += sliceBytes) {
        if (!outlet.write(chunkOf(value.subarray(offset, offset + sliceBytes)))) await outlet.room()
      }
    }
  } catch (error) {
    if (outlet.isGone) return // the source noticed, too
    outlet.flush()
    throw error
  } finally {
    outlet.whenGone(undefined)
  }
  const hasRoom = outlet.write(endOfChunks)
  outlet.flush()
  if (!hasRoom) await outlet.room()
}

function chunkOf(bytes: Uint8Array): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2)
  chunk.write(size, 0, 'latin1')
  chunk.set(bytes, size.length)
  chunk.write('\r\n', size.length + bytes.length, 'latin1')
  return chunk
}

/** Ends a source that nobody reads. Its own failure to end is its owner's to report. */
function cancel(pieces: AsyncIterator<Uint8Array>): void {
  pieces.return?.().then(
    () => undefined,
    () => undefined,
  )
}
