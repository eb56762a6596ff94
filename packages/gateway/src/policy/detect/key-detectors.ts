import { alphabet, base64, base64url, isAt, longRuns, runEnd, runStart } from './alphabet.ts'
import { contextMax, detector, findingMax, type Detector, type OnFound } from './detector.ts'

/** What stands before a key, in lower case. */
function before(text: string, at: number): string {
  return text.slice(Math.max(0, at - contextMax), at).toLowerCase()
}

function isMixed(text: string): boolean {
  return /[0-9]/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text) && new Set(text).size >= 16
}

/** 40 characters of base64 say nothing of themselves: what they are is told by the name before them, or the access key id. */
const awsSecret: Detector['find'] = (text, from, _isWhole, found) => {
  for (const { start, end } of longRuns(text, from, base64, 40)) {
    if (end - start !== 40 || !isMixed(text.slice(start, end))) continue
    const context = before(text, start)
    if (/secret.{0,8}key|aws.{0,16}(?:secret|key)|a(?:kia|sia)[a-z2-7]{16}/.test(context)) found(start, end)
  }
}

/** 64 bytes in base64, as a hash of 512 bits has them too: only the name before them tells. */
const azureStorage: Detector['find'] = (text, from, _isWhole, found) => {
  for (const { start, end } of longRuns(text, from, base64, 86)) {
    if (end - start !== 86 || !text.startsWith('==', end) || !isMixed(text.slice(start, end))) continue
    const context = before(text, start)
    if (context.includes('key') && /account|storage|azure/.test(context)) found(start, end + 2)
  }
}

const pemBegin = '-----BEGIN '
const pemEndMark = '-----END '
/** The longest line that begins or ends a key. */
const pemMarkMax = 60
const pemCharactersMin = 40
const pemBody = alphabet('0-9A-Za-z+/= \t\r\n')
const pemLabel = alphabet('0-9A-Z ')

/** A PEM block of any private key, also without its end or all on one line. @see RFC 7468; RFC 1421 section 4.4 for the lines before the key; RFC 9580 section 6.2 */
const privateKey: Detector['find'] = (text, from, isWhole, found) => {
  for (let at = text.indexOf(pemBegin, from); at >= 0;) {
    const end = pemEnd(text, at, isWhole)
    if (end !== undefined) found(at, end)
    at = text.indexOf(pemBegin, end ?? at + pemBegin.length)
  }
}

function pemEnd(text: string, at: number, isWhole: boolean): number | undefined {
  const labelEnd = runEnd(text, at + pemBegin.length, pemLabel, at + pemMarkMax)
  const label = ` ${text.slice(at + pemBegin.length, labelEnd)}`
  if (!/ PRIVATE KEY(?: BLOCK)?$/.test(label) || !text.startsWith('-----', labelEnd)) return undefined
  const limit = Math.min(text.length, at + findingMax)
  const bodyAt = afterHeaders(text, labelEnd + 5, limit, isWhole)
  const bodyEnd = runEnd(text, bodyAt, pemBody, limit)
  const closeEnd = runEnd(text, bodyEnd + pemEndMark.length, pemLabel, bodyEnd + pemMarkMax)
  const isClosed = text.startsWith(pemEndMark, bodyEnd) && text.startsWith('-----', closeEnd)
  if (!isClosed && !isWhole && mayBeEndMark(text.slice(bodyEnd, bodyEnd + pemMarkMax))) return text.length
  if (text.slice(bodyAt, bodyEnd).replaceAll(/[ \t\r\n]/g, '').length < pemCharactersMin) return undefined
  return isClosed ? closeEnd + 5 : bodyEnd
}

/** The text breaks off in the key or in the line after it. */
function mayBeEndMark(rest: string): boolean {
  return rest.length < pemMarkMax && (pemEndMark.startsWith(rest) || rest.startsWith(pemEndMark))
}

/** Past lines such as `Proc-Type: 4,ENCRYPTED`. */
function afterHeaders(text: string, from: number, limit: number, isWhole: boolean): number {
  let at = from
  for (let line = 0; line < 8; line += 1) {
    const start = runEnd(text, at, lineBreaks, limit)
    const nameEnd = runEnd(text, start, headerName, start + 32)
    if (nameEnd >= text.length - 1 && !isWhole) return text.length
    if (!text.startsWith(': ', nameEnd)) return at
    const length = text.slice(start, start + 256).search(/[\r\n]/)
    if (length < 0) return Math.min(limit, start + 256)
    at = start + length
  }
  return at
}

const lineBreaks = alphabet('\r\n')
const headerName = alphabet('A-Za-z-')

const jwtMax = 8000
const jwtHeadMax = 1024

/** @see RFC 7515 section 7.1 and RFC 7516 section 7.1: three parts when signed, five when encrypted */
const jwt: Detector['find'] = (text, from, _isWhole, found) => {
  for (let at = text.indexOf('eyJ', from); at >= 0; at = text.indexOf('eyJ', at + 3)) {
    if (isAt(text, at - 1, base64url)) continue
    const end = jwtEnd(text, at)
    if (end === undefined) continue
    found(at, end)
    at = end - 3
  }
}

function jwtEnd(text: string, at: number): number | undefined {
  const headEnd = runEnd(text, at, base64url, at + jwtHeadMax)
  if (text[headEnd] !== '.' || !hasAlgorithm(text.slice(at, headEnd))) return undefined
  let end = headEnd
  for (let part = 1; part < 5 && text[end] === '.'; part += 1) {
    const partEnd = runEnd(text, end + 1, base64url, at + jwtMax)
    if (part === 1 && partEnd === end + 1) return undefined
    end = partEnd
  }
  return end
}

function hasAlgorithm(head: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(head, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && 'alg' in value && typeof value.alg === 'string'
  } catch {
    return false
  }
}

const entropyKeyWords = /secret|token|passw|pwd|credential|api.?key|access.?key|private.?key|auth/
const entropyValue = alphabet('0-9A-Za-z+/_.~-')
const entropyValueMin = 16
const entropyValueMax = 512
const entropyBitsMin = 3.5
const nameCharacters = alphabet('0-9A-Za-z_.-')
const aroundSign = alphabet(' \t"\'`')

/** `key = value`, `"key": "value"`, `key=value`, where the key has a telling name and the value looks drawn at random. */
const highEntropy: Detector['find'] = (text, from, _isWhole, found) => {
  for (let sign = Math.max(0, from - 8); sign < text.length; sign += 1) {
    const character = text[sign]
    if (character === '=' || character === ':') findAssigned(text, from, sign, found)
  }
}

function findAssigned(text: string, from: number, sign: number, found: OnFound): void {
  const start = runEnd(text, sign + 1, aroundSign, sign + 5)
  if (start < from) return
  const nameEnd = runStart(text, sign, aroundSign, Math.max(0, sign - 4))
  const name = text.slice(runStart(text, nameEnd, nameCharacters, Math.max(0, nameEnd - 40)), nameEnd).toLowerCase()
  if (!entropyKeyWords.test(name)) return
  const end = runEnd(text, start, entropyValue, start + entropyValueMax)
  const value = text.slice(start, end)
  if (value.length >= entropyValueMin && /[0-9]/.test(value) && /[A-Za-z]/.test(value) && bitsPerCharacter(value) >= entropyBitsMin) found(start, end)
}

/** Shannon's entropy of the characters. */
function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** Credentials that are known by what stands around them or in them. */
export const keyDetectors: readonly Detector[] = [
  detector('secret/aws-secret-key', awsSecret),
  detector('secret/azure-storage-key', azureStorage),
  detector('secret/private-key', privateKey),
  detector('secret/jwt', jwt),
  detector('secret/high-entropy', highEntropy, { isByNameOnly: true }),
]
