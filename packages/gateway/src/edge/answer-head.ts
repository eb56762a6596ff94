import { STATUS_CODES } from 'node:http'
import type { HeaderLines } from './inbound.ts'

const nameToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Beyond latin1 a character would lose its upper byte on the wire: U+010A would be written as a line feed. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
/** What frames a message or steers the connection is the edge's to say. */
const ownFields = new Set(['connection', 'content-length', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/** A bug of whoever made the answer; nothing of it was sent. */
export class UnsendableAnswer extends TypeError {
  override readonly name = 'UnsendableAnswer'
}

/**
 * The status line and header lines of a final answer, with the framing and connection lines that the edge decided on, up to and including the empty line.
 *
 * @throws UnsendableAnswer for a status that is not final, and for a name, value or field by which an answer could become two (response splitting): a bug of
 * whoever made it.
 * @see RFC 9112 section 4
 */
export function formatAnswerHead(status: number, headers: HeaderLines, ownLines: string, bytesMax: number): string {
  if (!Number.isInteger(status) || status < 200 || status > 599) throw new UnsendableAnswer('an answer needs a final status')
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (const [name, value] of headers) {
    if (!nameToken.test(name)) throw new UnsendableAnswer('an answer has a header name that is not a token')
    if (!fieldValue.test(value)) throw new UnsendableAnswer(`the answer's ${name} has a character that does not belong into a header`)
    if (ownFields.has(name.toLowerCase())) throw new UnsendableAnswer(`an answer does not set ${name}`)
    head += `${name}: ${value}\r\n`
  }
  head += `${ownLines}\r\n`
  if (head.length > bytesMax) throw new UnsendableAnswer(`the head of an answer has at most ${bytesMax} bytes`)
  return head
}
