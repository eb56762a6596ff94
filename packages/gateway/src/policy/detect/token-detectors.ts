import { alphabet, base62, base64url, isAt, runEnd, runStart, type Alphabet } from './alphabet.ts'
import { base62Crc32, isBech32 } from './checksums.ts'
import { detector, wordFindingMax, type Detector } from './detector.ts'

/** The end of the token that begins at `at`, whose characters after the anchor may reach from `bodyAt` to `bodyEnd`; undefined when there is none. */
type ReadToken = (text: string, bodyAt: number, bodyEnd: number, at: number) => number | undefined

/** Tokens that begin with one of some words. They are found inside of longer words too, since hiding one so would be too easy. */
function anchored(anchors: readonly string[], body: Alphabet, read: ReadToken): Detector['find'] {
  return (text, from, _isWhole, found) => {
    for (const anchor of anchors) {
      let bodyEnd = 0
      for (let at = text.indexOf(anchor, from); at >= 0;) {
        const bodyAt = at + anchor.length
        // Anchors in one run share its end: looking for it each time would make a text full of anchors quadratic.
        if (bodyEnd < bodyAt) bodyEnd = runEnd(text, bodyAt, body)
        const end = read(text, bodyAt, bodyEnd, at)
        if (end !== undefined) found(at, end)
        at = text.indexOf(anchor, end ?? at + 1)
      }
    }
  }
}

function ofLength(min: number, max = wordFindingMax - 64): ReadToken {
  return (_text, bodyAt, bodyEnd) => (bodyEnd - bodyAt < min ? undefined : Math.min(bodyEnd, bodyAt + max))
}

/** Without a character of the body on either side. */
function exactly(length: number, body: Alphabet): ReadToken {
  return (text, bodyAt, bodyEnd, at) => (bodyEnd - bodyAt === length && !isAt(text, at - 1, body) ? bodyEnd : undefined)
}

/** 30 characters of base 62 and the six of their checksum. */
const checked: ReadToken = (text, bodyAt, bodyEnd) => {
  if (bodyEnd - bodyAt < 36) return undefined
  return base62Crc32(text.slice(bodyAt, bodyAt + 30)) === text.slice(bodyAt + 30, bodyAt + 36) ? bodyAt + 36 : undefined
}

const fineGrained: ReadToken = (text, bodyAt, bodyEnd) => {
  const end = bodyAt + 22 + 1 + 59
  return bodyEnd >= end && runEnd(text, bodyAt, base62, end) === bodyAt + 22 && runEnd(text, bodyAt + 23, base62, end) === end ? end : undefined
}

const lowerAndDigits = alphabet('0-9a-z')

/** Newer tokens tell their length and checksum in one or two groups behind a point. */
const gitlab: ReadToken = (text, bodyAt, bodyEnd) => {
  if (bodyEnd - bodyAt < 20 || bodyEnd - bodyAt > 300) return undefined
  let end = bodyEnd
  for (let group = 0; group < 2 && text[end] === '.'; group += 1) {
    const groupEnd = runEnd(text, end + 1, lowerAndDigits, end + 10)
    if (groupEnd < end + 3) break
    end = groupEnd
  }
  return end
}

const slack: ReadToken = (text, bodyAt, bodyEnd) => {
  const end = Math.min(bodyEnd, bodyAt + 512)
  return end - bodyAt >= 20 && /[0-9]/.test(text.slice(bodyAt, end)) ? end : undefined
}

/** Half of every key of OpenAI is followed by this word, which is its name in base64. */
const openaiMark = 'T3BlbkFJ'
const openaiHalfMax = 256

const openai: Detector['find'] = (text, from, _isWhole, found) => {
  for (let mark = text.indexOf(openaiMark, from); mark >= 0; mark = text.indexOf(openaiMark, mark + openaiMark.length)) {
    const wordAt = runStart(text, mark, base64url, Math.max(from, mark - openaiHalfMax))
    const at = text.slice(wordAt, mark).indexOf('sk-')
    const end = runEnd(text, mark + openaiMark.length, base64url, mark + openaiMark.length + openaiHalfMax)
    if (at >= 0 && mark - wordAt - at >= 20 && end - mark - openaiMark.length >= 20) found(wordAt + at, end)
  }
}

const bech32 = alphabet('02-9AC-HJ-NP-Z')
const agePrefix = 'AGE-SECRET-KEY-'

const age: ReadToken = (text, bodyAt, bodyEnd) => (bodyEnd - bodyAt >= 58 && isBech32(agePrefix, text.slice(bodyAt, bodyAt + 58)) ? bodyAt + 58 : undefined)

const awsIdBody = alphabet('A-Z2-7')

const awsId: ReadToken = (text, bodyAt, bodyEnd, at) =>
  bodyEnd - bodyAt === 16 && !isAt(text, at - 1, base62) && !isAt(text, bodyEnd, base62) ? bodyEnd : undefined

const gitlabPrefixes = ['glpat-', 'gldt-', 'glrt-', 'glrtr-', 'glcbt-', 'glptt-', 'glft-', 'glimt-', 'glagent-', 'gloas-', 'glsoat-', 'glffct-', 'glwt-']
const slackPrefixes = ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxo-', 'xoxc-', 'xoxd-', 'xoxe-', 'xoxe.xoxb-', 'xoxe.xoxp-', 'xapp-']

/** Credentials that say themselves what they are. */
export const tokenDetectors: readonly Detector[] = [
  detector('secret/aws-access-key-id', anchored(['AKIA', 'ASIA', 'ABIA', 'ACCA'], awsIdBody, awsId)),
  detector('secret/github-token', anchored(['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], base62, checked), { isSure: true }),
  detector('secret/github-fine-grained-token', anchored(['github_pat_'], alphabet('0-9A-Za-z_'), fineGrained)),
  detector('secret/gitlab-token', anchored(gitlabPrefixes, base64url, gitlab)),
  detector('secret/slack-token', anchored(slackPrefixes, alphabet('0-9A-Za-z-'), slack)),
  detector('secret/slack-webhook', anchored(['hooks.slack.com/services/'], alphabet('0-9A-Za-z/'), ofLength(30, 128))),
  detector('secret/stripe-key', anchored(['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], base62, ofLength(16, 256))),
  detector('secret/openai-key', openai),
  detector('secret/anthropic-key', anchored(['sk-ant-'], base64url, ofLength(40, 256))),
  detector('secret/google-api-key', anchored(['AIza'], base64url, exactly(35, base64url))),
  detector('secret/npm-token', anchored(['npm_'], base62, checked), { isSure: true }),
  detector('secret/pypi-token', anchored(['pypi-AgE'], base64url, ofLength(60, 1024))),
  detector('secret/age-key', anchored([`${agePrefix}1`], bech32, age), { isSure: true }),
]
