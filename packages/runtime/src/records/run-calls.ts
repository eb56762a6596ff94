import { ownPaths, recordsAnswer, runAnswer, type RecordsAnswer, type RecordsRequest, type RunAnswer } from '@sallyport/contract'
import { askGateway, notAGateway, type AskRefused, type Send } from '../link/ask-gateway.ts'

/** Begins a run. After a Fault of unknown outcome the same again is answered the same. @throws Fault */
export async function openRun(send: Send, run: string, signal: AbortSignal): Promise<AskRefused | { readonly kind: 'opened'; readonly answer: RunAnswer }> {
  const asked = await askGateway(send, ownPaths.runs, { run }, signal)
  if (asked.kind === 'refused') return asked
  const parsed = runAnswer.safeParse(asked.value)
  if (!parsed.success) throw notAGateway(ownPaths.runs)
  return { kind: 'opened', answer: parsed.data }
}

/** Brings records; they are durable at the gateway when it answers. After a Fault of unknown outcome the same again is taken once. @throws Fault */
export async function sendRecords(
  send: Send,
  message: RecordsRequest,
  signal: AbortSignal,
): Promise<AskRefused | { readonly kind: 'taken'; readonly answer: RecordsAnswer }> {
  const asked = await askGateway(send, ownPaths.records, message, signal)
  if (asked.kind === 'refused') return asked
  const parsed = recordsAnswer.safeParse(asked.value)
  if (!parsed.success || parsed.data.indexes.length !== message.records.length) throw notAGateway(ownPaths.records)
  return { kind: 'taken', answer: parsed.data }
}
