import { problemDocument, problemHeader, problems, type Problem } from '@sallyport/contract'
import type { Answer, HeaderLines } from './inbound.ts'

/** A refusal as `application/problem+json`. @see RFC 9457 */
export function problemAnswer(problem: Problem, requestId: string): Answer {
  const headers: HeaderLines = [
    ['content-type', 'application/problem+json'],
    ['cache-control', 'no-store'],
    [problemHeader, problem.code],
    ...(problem.retryAfterSeconds === undefined ? [] : [['retry-after', String(problem.retryAfterSeconds)] as const]),
  ]
  return { status: problems[problem.code].status, headers, body: Buffer.from(JSON.stringify(problemDocument(problem, requestId))) }
}
