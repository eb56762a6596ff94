import { alphabet, base62, digits, isAt, longRuns, runEnd, runStart, upperAndDigits } from './alphabet.ts'
import { isLuhn, isMod97 } from './checksums.ts'
import { detector, type Detector } from './detector.ts'

const mailbox = alphabet('0-9A-Za-z._%+-')
const hostName = alphabet('0-9A-Za-z.-')

/** @see RFC 5321 section 4.1.2, of which the quoted and the international forms are left out */
const email: Detector['find'] = (text, from, _isWhole, found) => {
  for (let sign = text.indexOf('@', from); sign >= 0; sign = text.indexOf('@', sign + 1)) {
    const start = runEnd(text, runStart(text, sign, mailbox, Math.max(from, sign - 64)), points, sign)
    const host = text.slice(sign + 1, runEnd(text, sign + 1, hostName, sign + 254)).replace(/[.-]+$/, '')
    const labels = host.split('.')
    const isHost = labels.length > 1 && labels.every((label) => /^[0-9A-Za-z]/.test(label) && !label.endsWith('-') && label.length <= 63)
    if (start < sign && isHost && /^(?:[A-Za-z]{2,24}|xn--[0-9A-Za-z-]{2,59})$/.test(labels.at(-1) ?? '')) found(start, sign + 1 + host.length)
  }
}

const points = alphabet('.-')

/** What card numbers begin with, and how many digits they then have. @see ISO/IEC 7812-1; the networks' published ranges */
const issuers: readonly (readonly [begin: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^3(?:0[0-5]|[689])/, [14, 16, 19]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:50[0-9]|5[6-9]|6304|67)/, [12, 13, 14, 15, 16, 17, 18, 19]],
]

/** How the digits are grouped when there is white space or a hyphen between them. */
const groupings = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 4, 4, 1],
  [4, 6, 5],
  [4, 6, 4],
]

const card: Detector['find'] = (text, from, _isWhole, found) => {
  for (const { start, end } of longRuns(text, from, digits, 4)) {
    if (isAt(text, start - 1, wordCharacters) || isFraction(text, start)) continue
    const cardEnd = end - start === 4 ? groupedCard(text, start) : isCard(text.slice(start, Math.min(end, start + 20))) ? end : undefined
    if (cardEnd !== undefined && !isAt(text, cardEnd, wordCharacters)) found(start, cardEnd)
  }
}

const wordCharacters = alphabet('0-9A-Za-z_')

function isFraction(text: string, at: number): boolean {
  return text[at - 1] === '.' && isAt(text, at - 2, digits)
}

function isCard(number: string): boolean {
  return issuers.some(([begin, lengths]) => lengths.includes(number.length) && begin.test(number)) && isLuhn(number)
}

function groupedCard(text: string, at: number): number | undefined {
  const separator = text[at + 4]
  if (separator !== ' ' && separator !== '-') return undefined
  for (const lengths of groupings) {
    const end = groupsEnd(text, at, lengths, separator)
    if (end !== undefined && isCard(text.slice(at, end).replaceAll(separator, ''))) return end
  }
  return undefined
}

function groupsEnd(text: string, at: number, lengths: readonly number[], separator: string): number | undefined {
  let end = at
  for (const length of lengths) {
    const start = end === at ? at : end + 1
    if (start !== at && text[end] !== separator) return undefined
    end = start + length
    if (runEnd(text, start, digits, end + 1) !== end) return undefined
  }
  return end
}

/** Characters of an IBAN by country. @see ISO 13616, IBAN Registry of SWIFT */
const ibanLengths: ReadonlyMap<string, number> = new Map(
  [
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22',
    'GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30',
    'NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30',
  ]
    .flatMap((row) => row.split(' '))
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

const iban: Detector['find'] = (text, from, _isWhole, found) => {
  for (const { start } of longRuns(text, from, upperAndDigits, 4)) {
    const length = ibanLengths.get(text.slice(start, start + 2))
    if (length === undefined || isAt(text, start - 1, base62)) continue
    const end = ibanEnd(text, start, length)
    if (end !== undefined) found(start, end)
  }
}

/** In one word, or in groups of four. */
function ibanEnd(text: string, at: number, length: number): number | undefined {
  let written = ''
  let end = at
  while (written.length < length) {
    if (text[end] === ' ' && written.length % 4 === 0) end += 1
    if (!isAt(text, end, upperAndDigits)) return undefined
    written += text.charAt(end)
    end += 1
  }
  return !isAt(text, end, base62) && isMod97(written) ? end : undefined
}

/** @see SSA, POMS RM 10201.030 and 10201.035: numbers that were never given out are left out */
const socialSecurity: Detector['find'] = (text, from, _isWhole, found) => {
  for (let hyphen = text.indexOf('-', from); hyphen >= 0; hyphen = text.indexOf('-', hyphen + 1)) {
    const at = hyphen - 3
    if (at < from || isAt(text, at - 1, wordOrHyphen) || isAt(text, at + 11, wordOrHyphen)) continue
    const number = text.slice(at, at + 11)
    if (/^[0-9]{3}-[0-9]{2}-[0-9]{4}$/.test(number) && !/^(?:000|666|9)|-00-|-0000$/.test(number)) found(at, at + 11)
  }
}

const wordOrHyphen = alphabet('0-9A-Za-z_-')

/** From the plus on, with up to two characters between the groups. @see ITU-T E.164 section 6 */
const phone: Detector['find'] = (text, from, _isWhole, found) => {
  for (let plus = text.indexOf('+', from); plus >= 0; plus = text.indexOf('+', plus + 1)) {
    if (isAt(text, plus - 1, wordCharacters) || !isAt(text, plus + 1, digits) || text[plus + 1] === '0') continue
    let end = plus + 1
    let count = 0
    for (;;) {
      const groupEnd = runEnd(text, end, digits, end + 16)
      count += groupEnd - end
      end = groupEnd
      const next = runEnd(text, end, betweenGroups, end + 2)
      if (count > 15 || next === end || !isAt(text, next, digits)) break
      end = next
    }
    if (count >= 8 && count <= 15 && !isAt(text, end, wordCharacters)) found(plus, end)
  }
}

const betweenGroups = alphabet(' ().-')

const ipv4: Detector['find'] = (text, from, _isWhole, found) => {
  for (let at = from; at < text.length; at += 1) {
    if (!isAt(text, at, digits)) continue
    const end = runEnd(text, at, digitsAndPoints)
    const address = text.slice(at, Math.min(end, at + 17)).replace(/\.$/, '')
    const isAlone = !isAt(text, at - 1, wordCharacters) && text[at - 1] !== '.' && !isAt(text, at + address.length, wordCharacters)
    if (isAlone && /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.|$)){4}$/.test(address)) found(at, at + address.length)
    at = end - 1
  }
}

const digitsAndPoints = alphabet('0-9.')

/** What tells who somebody is. */
export const personalDetectors: readonly Detector[] = [
  detector('personal/email', email),
  detector('personal/credit-card', card),
  detector('personal/iban', iban),
  detector('personal/us-ssn', socialSecurity),
  detector('personal/phone', phone),
  detector('personal/ipv4', ipv4, { isByNameOnly: true }),
]
