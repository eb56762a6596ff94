import { Fault, ownPaths, recordsAnswer, runAnswer, type ProblemDocument, type RecordsAnswer, type RecordsRequest, type RunAnswer } from '@sallyport/contract'
import type { LinkRequest } from '../link/gateway-link.ts'
import { readJson, separateProblem, type LinkAnswer } from '../link/read-answer.ts'

export type RunSend = (request: LinkRequest) => Promise<LinkAnswer>

export interface RunRefused {
  readonly kind: 'refused'
  readonly problem: ProblemDocument
}

const answerMsMax = 15_000
const answerBytesMax = 65_536

/** Begins a run. After a Fault of unknown outcome the same again is answered the same. @throws Fault */
export async function openRun(send: RunSend, run: string, signal: AbortSignal): Promise<RunRefused | { readonly kind: 'opened'; readonly answer: RunAnswer }> {
  const asked = await ask(send, ownPaths.runs, { run }, signal)
  if (asked.kind === 'refused') return asked
  const parsed = runAnswer.safeParse(asked.value)
  if (!parsed.success) throw notAGateway(ownPaths.runs)
  return { kind: 'opened', answer: parsed.data }
}

/** Brings records; they are durable at the gateway when it answers. After a Fault of unknown outcome the same again is taken once. @throws Fault */
export async function sendRecords(
  send: RunSend,
  message: RecordsRequest,
  signal: AbortSignal,
): Promise<RunRefused | { readonly kind: 'taken'; readonly answer: RecordsAnswer }> {
  const asked = await ask(send, ownPaths.records, message, signal)
  if (asked.kind === 'refused') return asked
  const parsed = recordsAnswer.safeParse(asked.value)
  if (!parsed.success || parsed.data.indexes.length !== message.records.length) throw notAGateway(ownPaths.records)
  return { kind: 'taken', answer: parsed.data }
}

async function ask(send: RunSend, path: string, body: object, signal: AbortSignal): Promise<RunRefused | { readonly kind: 'answer'; readonly value: unknown }> {
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
    signal,
    headMsMax: answerMsMax,
    idleMsMax: answerMsMax,
  })
  const separated = await separateProblem(answer)
  if (separated.kind === 'refused') return separated
  const value = await readJson(separated.answer, answerBytesMax)
  if (answer.status !== 200 || value === undefined) throw notAGateway(path)
  return { kind: 'answer', value }
}

function notAGateway(path: string): Fault {
  return new Fault(`what answered ${path} is no gateway that takes records`, 'unknown')
}
