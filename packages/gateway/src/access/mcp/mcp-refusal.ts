import { problemDocument, problemHeader, problems, type Json, type JsonObject, type Problem } from '@sallyport/contract'
import type { Answer } from '../../edge/inbound.ts'
import { problemAnswer } from '../../edge/problem-answer.ts'
import type { JsonRpcMessage } from '../access-request.ts'
import { paramsOf } from './json-rpc.ts'
import { metaOf, metaKeys, modernRevision } from './revision.ts'
import type { McpRefused } from './rpc-refusal.ts'

/** How members of `_meta` begin that only the gateway writes. */
export const ownMetaPrefix = 'dev.sallyport/'

/** The range that JSON-RPC leaves to servers; the problem document in `data` says the rest. */
const refusalErrorCode = -32000

/**
 * A refusal as an MCP client understands it.
 *
 * A tool call that waits for a person is answered as the tool's own error, so that the model reads how to go on. Any other refused request is a JSON-RPC error
 * that carries the problem document, with HTTP status 200: clients take other statuses for a broken transport and lose the reason. What has no answer in
 * JSON-RPC (notifications, streams, a session that ended) is a plain HTTP problem.
 */
export function mcpRefusal(problem: Problem, requestId: string, message: JsonRpcMessage | undefined): Answer {
  // The protocol wants the bare status: on 404 a client starts a new session.
  if (message?.kind !== 'request' || problem.code === 'access.session-invalid') return problemAnswer(problem, requestId)
  if (problem.approval && message.method === 'tools/call') {
    const isModern = metaOf(paramsOf(message))[metaKeys.protocolVersion] === modernRevision
    const result = {
      ...(isModern && { resultType: 'complete' }),
      isError: true,
      content: [{ type: 'text', text: heldText(problem.approval) }],
      _meta: { [`${ownMetaPrefix}problem`]: problemDocument(problem, requestId) },
    }
    return rpcAnswer(problem, { jsonrpc: '2.0', id: message.id, result })
  }
  return rpcAnswer(problem, { jsonrpc: '2.0', id: message.id, error: problemError(problem, requestId) })
}

/** A refusal as the `error` of a JSON-RPC response. */
export function problemError(problem: Problem, requestId: string): JsonObject {
  return { code: refusalErrorCode, message: textOf(problem), data: { ...problemDocument(problem, requestId) } }
}

/** A refusal of a message that does not fit the protocol: with the code and the HTTP status that the protocol has for it. */
export function malformedRefusal(problem: Problem, requestId: string, { id, code, data, status }: NonNullable<McpRefused['rpc']>): Answer {
  const error = { code, message: textOf(problem), data: { ...problemDocument(problem, requestId), ...data } }
  return rpcAnswer(problem, { jsonrpc: '2.0', id, error }, status ?? problems[problem.code].status)
}

function textOf({ code, detail }: Problem): string {
  return detail === undefined ? problems[code].title : `${problems[code].title}. ${detail}`
}

function heldText({ id, expiresAt }: { readonly id: string; readonly expiresAt: string }): string {
  return (
    `A person must approve this call first (approval ${id}, open until ${expiresAt}). ` +
    `Ask for it, and call again with the same arguments after a person ran \`sallyport approve ${id}\`.`
  )
}

function rpcAnswer({ code, retryAfterSeconds }: Problem, value: { readonly [member: string]: Json | object }, status = 200): Answer {
  return {
    status,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
      [problemHeader, code],
      ...(retryAfterSeconds === undefined ? [] : ([['retry-after', String(retryAfterSeconds)]] as const)),
    ],
    body: Buffer.from(JSON.stringify(value)),
  }
}
