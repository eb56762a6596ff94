import { enrolmentRequest, parseJson, refused, type CertificateAnswer, type ProblemCode, type Refused } from '@sallyport/contract'
import { readJudgedBody } from '../../access/judged-body.ts'
import { BodyError, headerValue, type Answer, type Inbound } from '../../edge/inbound.ts'
import { problemAnswer } from '../../edge/problem-answer.ts'
import type { Authority } from './authority.ts'

/** A token and a request over a P-256 key are under 1 KiB. */
export const enrolmentBytesMax = 8192

/** A refusal as the operator may know it, unlike the stranger who got it. */
export interface RefusedEnrolment {
  /** The id that the answer carries. */
  readonly instance: string
  readonly code: ProblemCode
  readonly reason: string
  readonly remoteAddress: string
}

/**
 * The one thing that someone without a certificate may ask: `POST /enroll` with `{token, csr}`.
 *
 * Every refusal after the parse is `identity.enrolment-refused`, whatever its cause; `tell` learns the cause.
 *
 * @throws Fault when the store or the log does not answer
 */
export async function handleEnrolment(authority: Pick<Authority, 'enrol'>, inbound: Inbound, tell: (refusal: RefusedEnrolment) => void): Promise<Answer> {
  const result = await answerEnrolment(authority, inbound)
  if ('kind' in result) {
    const { problem, reason } = result
    tell({ instance: inbound.id, code: problem.code, reason, remoteAddress: inbound.connection.remoteAddress })
    return problemAnswer(problem, inbound.id)
  }
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
  const body = await readJudgedBody(inbound, enrolmentBytesMax).catch((error: unknown) => {
    if (error instanceof BodyError) return refused(error.code)
    throw error
  })
  if (body.kind === 'refused') return body
  const json = parseJson(body.bytes)
  const request = enrolmentRequest.safeParse(json.kind === 'parsed' ? json.value : undefined)
  if (!request.success) return refused('access.malformed')
  return authority.enrol(request.data.token, request.data.csr, inbound.connection.remoteAddress)
}
