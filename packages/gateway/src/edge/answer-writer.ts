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
  const { status, body, bodyBytes } = answer
  const isBodiless = form.isHeadOnly || status === 204 || status === 304
  if (body instanceof Uint8Array) {
    const lengthLine = status === 204 || status === 304 ? '' : `content-length: ${body.length}\r\n`
    const head = formatAnswerHead(status, answer.headers, lengthLine + form.connectionLines, form.headBytesMax)
    return writeWhole(outlet, head, isBodiless ? nothing : body)
  }
  const pieces = body[Symbol.asyncIterator]()
  try {
    const framingLine = isBodiless ? '' : bodyBytes === undefined ? 'transfer-encoding: chunked\r\n' : `content-length: ${bodyBytes}\r\n`
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
  return writePieces(outlet, pieces, bodyBytes)
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

/** Without `bodyBytes` as chunks. */
async function writePieces(outlet: Outlet, pieces: AsyncIterator<Uint8Array>, bodyBytes: number | undefined): Promise<void> {
  if (outlet.isGone) return cancel(pieces)
  outlet.whenGone(() => cancel(pieces))
  const isChunked = bodyBytes === undefined
  let left = bodyBytes ?? Number.POSITIVE_INFINITY
  try {
    for (;;) {
      const { done, value } = await pieces.next()
      if (outlet.isGone) return
      outlet.gather()
      if (done === true) break
      left -= value.length
      if (left < 0) {
        cancel(pieces)
        throw new WrongLength('longer') // the surplus would be read as the beginning of another answer
      }
      for (let offset = 0; offset < value.length && !outlet.isGone; offset += sliceBytes) {
        const slice = value.subarray(offset, offset + sliceBytes)
        if (!outlet.write(isChunked ? chunkOf(slice) : slice)) await outlet.room()
      }
    }
    if (!isChunked && left > 0 && !outlet.isGone) throw new WrongLength('shorter')
  } catch (error) {
    if (outlet.isGone) return // the source noticed, too
    outlet.flush()
    throw error
  } finally {
    outlet.whenGone(undefined)
  }
  const hasRoom = !isChunked || outlet.write(endOfChunks)
  outlet.flush()
  if (!hasRoom) await outlet.room()
}

/** The body was not as long as its answer had announced. */
class WrongLength extends RangeError {
  override readonly name = 'WrongLength'

  constructor(way: 'longer' | 'shorter') {
    super(`the body of an answer is ${way} than announced`)
  }
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
