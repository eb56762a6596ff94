import { enrolmentRequest, parseJson, refused, type CertificateAnswer, type Refused } from '@sallyport/contract'
import { BodyError, headerValue, type Answer, type Inbound } from '../../edge/inbound.ts'
import { problemAnswer } from '../../edge/problem-answer.ts'
import type { Authority } from './authority.ts'

/** A token and a request over a P-256 key are under 1 KiB. */
export const enrolmentBytesMax = 8192

/**
 * The one thing that someone without a certificate may ask: `POST /enroll` with `{token, csr}`.
 *
 * Every refusal after the parse is `identity.enrolment-refused`, whatever its cause.
 *
 * @throws Fault when the store or the log does not answer
 */
export async function handleEnrolment(authority: Pick<Authority, 'enrol'>, inbound: Inbound): Promise<Answer> {
  const result = await answerEnrolment(authority, inbound)
  if ('kind' in result) return problemAnswer(result.problem, inbound.id)
  const headers = [
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'],
  ] as const
  return { status: 200, headers, body: Buffer.from(JSON.stringify(result)) }
}

async function answerEnrolment(authority: Pick<Authority, 'enrol'>, inbound: Inbound): Promise<CertificateAnswer | Refused> {
  if (inbound.path !== '/enroll' || inbound.query !== '') return refused('access.unknown-target')
  if (inbound.method !== 'POST') return refused('access.method-not-allowed')
  if (headerValue(inbound.headers, 'content-type') !== 'application/json') return refused('access.unsupported-media')
  const body = await readBody(inbound)
  if ('kind' in body) return body
  const json = parseJson(body)
  const request = enrolmentRequest.safeParse(json.kind === 'parsed' ? json.value : undefined)
  if (!request.success) return refused('access.malformed')
  return authority.enrol(request.data.token, request.data.csr, inbound.connection.remoteAddress)
}

async function readBody({ body }: Inbound): Promise<Uint8Array | Refused> {
  const pieces: Uint8Array[] = []
  let length = 0
  try {
    for await (const piece of body?.read() ?? []) {
      length += piece.length
      if (length > enrolmentBytesMax) return refused('access.too-large')
      pieces.push(piece)
    }
  } catch (error) {
    if (error instanceof BodyError) return refused(error.code)
    throw error
  }
  return Buffer.concat(pieces, length)
}
