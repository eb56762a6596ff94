import { problemDocument, problems, type Problem } from '@sallyport/contract'
import type { Answer } from '../../edge/inbound.ts'
import { problemAnswer } from '../../edge/problem-answer.ts'

/**
 * A refusal as clients of language models understand it: the problem document, with an `error` member in the form of both APIs, from which their clients take what
 * they show.
 *
 * @see RFC 9457 section 3.2 (extension members)
 */
export function llmRefusal(problem: Problem, requestId: string): Answer {
  const { title, status } = problems[problem.code]
  const message = problem.detail === undefined ? title : `${title}. ${problem.detail}`
  const document = { ...problemDocument(problem, requestId), error: { message, type: typeOf(status), code: problem.code, param: null } }
  return { ...problemAnswer(problem, requestId), body: Buffer.from(JSON.stringify(document)) }
}

/** The words of both APIs for a status. */
function typeOf(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error'
  }
}
