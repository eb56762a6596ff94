import type { Json, Refused } from '@sallyport/contract'
import type { Forwarded } from '../forwarded.ts'

/** What the gateway itself answers; kept by nobody on the way. */
export function answer(value: Json): Forwarded {
  const body = Buffer.from(JSON.stringify(value))
  return {
    kind: 'answer',
    answer: {
      status: 200,
      headers: [
        ['content-type', 'application/json'],
        ['cache-control', 'no-store'],
      ],
      body,
    },
    finished: Promise.resolve({ result: 'answered', status: 200, answerBytes: body.length }),
  }
}

export function refusal(problem: Refused['problem'], reason: string): Forwarded {
  return { kind: 'refused', problem, reason, finished: Promise.resolve({ result: 'refused', code: problem.code }) }
}
