import { z } from 'zod'
import { isoTime, table } from './table.ts'
import { telling } from './tell-answers.ts'

const session = z.object({
  id: z.string(),
  tenant: z.string(),
  agent: z.string(),
  issuer: z.string(),
  subject: z.string(),
  scopes: z.array(z.string()),
  state: z.string(),
  reason: z.string().optional(),
  person: z.string().optional(),
  client: z.object({ id: z.string(), resource: z.string() }).optional(),
  certificate: z.string().optional(),
  generation: z.number(),
  openedAt: z.number(),
  expiresAt: z.number(),
})

export const tellSessions = telling(z.object({ sessions: z.array(session) }), ({ sessions }) =>
  sessions.length === 0
    ? 'No session: sallyport session start TENANT/AGENT'
    : table(
        ['SESSION', 'AGENT', 'PERSON', 'STATE', 'OPENED', 'ENDS'],
        sessions.map(({ id, tenant, agent, subject, state, openedAt, expiresAt }) => [
          id,
          `${tenant}/${agent}`,
          subject,
          state,
          isoTime(openedAt),
          isoTime(expiresAt),
        ]),
      ),
)

export const tellSession = telling(session, (one) =>
  table(
    ['SESSION', one.id],
    [
      ['agent', `${one.tenant}/${one.agent}`],
      ['person', `${one.subject} at ${one.issuer}`],
      ['scopes', one.scopes.join(' ')],
      ['state', one.reason === undefined ? one.state : `${one.state}: ${one.reason}`],
      ['asked by', one.client?.id ?? one.person ?? 'nobody that is known'],
      ...(one.client ? [['for', one.client.resource]] : []),
      ['certificate', one.certificate ?? 'none yet: the agent has not claimed it'],
      ['refreshes', String(Math.max(0, one.generation - 1))],
      ['opened', isoTime(one.openedAt)],
      ['ends', isoTime(one.expiresAt)],
    ],
  ),
)

const started = z.union([
  z.object({ kind: z.literal('started'), id: z.string(), link: z.string(), expiresAt: z.number() }),
  z.object({
    kind: z.literal('started'),
    id: z.string(),
    userCode: z.string(),
    verificationUri: z.string(),
    verificationUriComplete: z.string().optional(),
    expiresAt: z.number(),
  }),
])

/** How a person logs in, for whoever has asked for it. */
export function tellStarted(agent: string): (value: unknown) => string {
  return telling(started, (given) => {
    const how =
      'link' in given
        ? `Whoever ${agent} shall act for opens this link in a browser, once, until ${isoTime(given.expiresAt)}:\n\n  ${given.link}\n`
        : `Whoever ${agent} shall act for opens ${given.verificationUri} and types ${given.userCode}, until ${isoTime(given.expiresAt)}.\n`
    return `${how}\nThen, on the agent's host: sallyport agent session claim`
  })
}
