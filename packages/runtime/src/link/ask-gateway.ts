import { Fault, type ProblemDocument } from '@sallyport/contract'
import type { LinkRequest } from './lines.ts'
import { readJson, separateProblem, type LinkAnswer } from './read-answer.ts'

/** Sends a request as this agent, over whichever of its connections. */
export type Send = (request: LinkRequest) => Promise<LinkAnswer>

export interface AskRefused {
  readonly kind: 'refused'
  readonly problem: ProblemDocument
}

const answerMsMax = 15_000
const answerBytesMax = 65_536

/** Asks the gateway itself something, in JSON. The value is unread. @throws Fault */
export async function askGateway(
  send: Send,
  path: string,
  body: object,
  signal?: AbortSignal,
): Promise<AskRefused | { readonly kind: 'answer'; readonly value: unknown }> {
  const bytes = Buffer.from(JSON.stringify(body))
  const answer = await send({
    method: 'POST',
    path,
    headers: [
      ['accept', 'application/json'],
      ['content-type', 'application/json'],
      ['content-length', String(bytes.length)],
    ],
    body: bytes,
    ...(signal && { signal }),
    headMsMax: answerMsMax,
    idleMsMax: answerMsMax,
  })
  const separated = await separateProblem(answer)
  if (separated.kind === 'refused') return separated
  const value = await readJson(separated.answer, answerBytesMax)
  if (answer.status !== 200 || value === undefined) throw notAGateway(path)
  return { kind: 'answer', value }
}

/** For an answer that says something else than the path is for. */
export function notAGateway(path: string): Fault {
  return new Fault(`what answered ${path} is no gateway, or one that does not know it`, 'unknown')
}
