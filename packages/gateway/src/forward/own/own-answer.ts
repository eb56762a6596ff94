import type { Json, Refused } from '@sallyport/contract'
import type { Answer } from '../../edge/inbound.ts'
import type { Forwarded } from '../forwarded.ts'

/** What the gateway itself answers; kept by nobody on the way. */
export function answer(value: Json): Forwarded {
  const given = jsonAnswer(value)
  return { kind: 'answer', answer: given, finished: Promise.resolve({ result: 'answered', status: 200, answerBytes: given.body.length }) }
}

export function jsonAnswer(value: Json): Answer & { readonly body: Uint8Array } {
  return {
    status: 200,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
    ],
    body: Buffer.from(JSON.stringify(value)),
  }
}

export function refusal(problem: Refused['problem'], reason: string): Forwarded {
  return { kind: 'refused', problem, reason, finished: Promise.resolve({ result: 'refused', code: problem.code }) }
}
