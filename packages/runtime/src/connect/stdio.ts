import type { Readable, Writable } from 'node:stream'
import { problemDocument, type Problem, type ProblemDocument } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import type { GatewayLink } from '../link/gateway-link.ts'
import { lineWriter } from './write-lines.ts'
import { openConversation } from './conversation.ts'
import { readLines } from './read-lines.ts'
import { readClientMessage, type RpcId } from './rpc-message.ts'

export const stdioLimits = {
  messageBytesMax: 4_194_304,
  /** How long answers may still come after the client has closed its side. */
  drainMsMax: 30_000,
} as const

export interface StdioBridgeOptions {
  readonly link: Pick<GatewayLink, 'request'>
  /** One upstream, its tools unrenamed; without it all of them together, namespaced. */
  readonly upstream?: string
  readonly stdin: Readable
  readonly stdout: Writable
  /** One line per thing that went wrong and has no answer in the protocol. */
  readonly stderr: Writable
  readonly clock: Clock
  /** Ends the conversation at once: SIGTERM. */
  readonly stop: AbortSignal
  /** Makes the opaque id of a problem. */
  readonly newId: () => string
}

/** The range that JSON-RPC leaves to servers; the problem document in `data` says the rest. */
const refusalErrorCode = -32000

/**
 * Speaks MCP over stdio to a client and over streamable HTTP to the gateway, so that any client that can start a program reaches the gateway: JSON-RPC messages come
 * and go one per line, in revision 2025-11-25 (and its elders) or 2026-07-28, as the client chooses. A refusal or a failed connection becomes a JSON-RPC error with the
 * problem document as `data`; every request gets one answer, unless the client has cancelled it.
 *
 * Resolves when the client has closed its side and the answers under way have come (or `stop` cut them), the session at the gateway ended.
 */
export async function runStdioBridge({ link, upstream, stdin, stdout, stderr, clock, stop, newId }: StdioBridgeOptions): Promise<void> {
  const writeLine = lineWriter(stdout)
  const report = lineWriter(stderr)
  const refuse = (id: RpcId | null, code: number, message: string, data?: ProblemDocument): Promise<void> =>
    writeLine(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data && { data }) } }))
  const conversation = openConversation({
    link,
    path: upstream === undefined ? '/mcp' : `/mcp/${upstream}`,
    clock,
    deliver: writeLine,
    refuse: (id, problem) => {
      const document = asDocument(problem, newId)
      return refuse(id, refusalErrorCode, sentence(document), document)
    },
    report: (problem) => report(typeof problem === 'string' ? `sallyport connect: ${problem}` : `sallyport connect: ${sentence(asDocument(problem, newId))}`),
  })
  const halt = (): void => {
    conversation.cut()
    stdin.destroy()
  }
  stop.addEventListener('abort', halt, { once: true })
  stdout.once('error', halt)
  if (stop.aborted) halt()
  try {
    for await (const line of readLines(stdin, stdioLimits.messageBytesMax)) {
      if (line.kind === 'too-long') {
        await refuse(null, -32600, `a message is at most ${stdioLimits.messageBytesMax} bytes`)
        continue
      }
      const message = readClientMessage(line.text, stdioLimits.messageBytesMax)
      if (message.kind === 'refused') await refuse(null, message.code, message.reason)
      else await conversation.take(message)
    }
  } catch (error) {
    if (!stdin.destroyed) throw error
  } finally {
    await conversation.end(stop.aborted ? 0 : stdioLimits.drainMsMax)
    stop.removeEventListener('abort', halt)
  }
}

function asDocument(problem: Problem | ProblemDocument, newId: () => string): ProblemDocument {
  return 'instance' in problem ? problem : problemDocument(problem, newId())
}

function sentence({ title, detail }: ProblemDocument): string {
  return detail === undefined ? title : `${title}. ${detail}`
}
