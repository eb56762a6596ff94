import { problemDocument, problemHeader, problems, type Problem } from '@sallyport/contract'
import type { Answer } from '../../edge/inbound.ts'
import type { JsonRpcId } from '../access-request.ts'

/** The codes of JSON-RPC and of A2A for what the gateway refuses. @see A2A 1.0 section 5.4, JSON-RPC 2.0 section 5.1 */
export const a2aFlaws = {
  methodNotFound: { code: -32601 },
  invalidParams: { code: -32602 },
  pushNotificationNotSupported: { code: -32003 },
  unsupportedOperation: { code: -32004 },
  versionNotSupported: { code: -32009 },
} as const

/** The range that JSON-RPC leaves to servers. */
const refusalErrorCode = -32000

/**
 * A refusal as an A2A client understands it: an error of JSON-RPC, with the problem document among its details, and with HTTP status 200, on which clients read it.
 *
 * @see A2A 1.0 section 9.5
 */
export function a2aRefusal(problem: Problem, requestId: string, id: JsonRpcId, code: number = refusalErrorCode): Answer {
  const { title } = problems[problem.code]
  const document = problemDocument(problem, requestId)
  const reason = problem.code.toUpperCase().replaceAll(/[.-]/g, '_')
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason,
    domain: 'sallyport.dev',
    metadata: { code: problem.code, instance: document.instance },
  }
  const message = problem.detail === undefined ? title : `${title}. ${problem.detail}`
  const error = { code, message, data: [info, { '@type': document.type, ...document }] }
  return {
    status: 200,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
      [problemHeader, problem.code],
      ...(problem.retryAfterSeconds === undefined ? [] : ([['retry-after', String(problem.retryAfterSeconds)]] as const)),
    ],
    body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error })),
  }
}
