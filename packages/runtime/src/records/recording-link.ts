import { Readable } from 'node:stream'
import { problemDocument, problemHeader, type Refused } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import type { GatewayLink } from '../link/gateway-link.ts'
import { firstHeader } from '../link/header-pairs.ts'
import { discard, type LinkAnswer } from '../link/read-answer.ts'
import type { RecordChannel } from './record-channel.ts'

const sessionHeader = 'mcp-session-id'

/**
 * The link, for clients whose work must be recorded: while it cannot be, nothing is forwarded, and the answer is `connect.not-recorded`. A session that a client opens is
 * recorded before the client hears of it.
 */
export function recordingLink(
  link: Pick<GatewayLink, 'request' | 'catalog'>,
  channel: Pick<RecordChannel, 'record' | 'ready'>,
  clock: Pick<Clock, 'after'>,
  newId: () => string,
): Pick<GatewayLink, 'request' | 'catalog'> {
  return {
    catalog: link.catalog,
    request: async (asked) => {
      const objection = await channel.ready()
      if (objection) {
        if (asked.body instanceof Readable) asked.body.resume() // its client sends it to the end
        return refusal(objection, newId())
      }
      const answer = await link.request(asked)
      if (firstHeader(asked.headers, sessionHeader) !== undefined || firstHeader(answer.headers, sessionHeader) === undefined) return answer
      const recorded = await channel.record({ kind: 'client.session-opened', facts: { path: asked.path } })
      if (recorded.kind === 'recorded') return answer
      discard(answer, clock)
      return refusal(recorded, newId())
    },
  }
}

/** As the gateway itself refuses, so that every client of the link hears it the same way. */
function refusal({ problem }: Refused, id: string): LinkAnswer {
  const document = problemDocument(problem, id)
  const body = Buffer.from(JSON.stringify(document))
  return {
    status: document.status,
    headers: [
      ['content-type', 'application/problem+json'],
      ['content-length', String(body.length)],
      ['cache-control', 'no-store'],
      [problemHeader, problem.code],
    ],
    body: Readable.from([body]),
  }
}
