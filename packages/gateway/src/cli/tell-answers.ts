import { z } from 'zod'
import { shownJson, type ShowOptions } from './show.ts'
import { aligned, isoTime, table } from './table.ts'

/** What an answer of the running gateway says to a person. An answer of another version, which may have another form, is shown as it is. */
export function telling<Answer>(schema: z.ZodType<Answer>, text: (answer: Answer) => string): (value: unknown) => string {
  return (value) => {
    const answer = schema.safeParse(value)
    return answer.success ? text(answer.data) : shownJson(value, { isFull: false })
  }
}

const block = z.discriminatedUnion('scope', [
  z.object({ scope: z.literal('all') }),
  z.object({ scope: z.literal('tenant'), tenant: z.string() }),
  z.object({ scope: z.literal('agent'), tenant: z.string(), agent: z.string() }),
])

function blockText(given: z.infer<typeof block>): string {
  if (given.scope === 'all') return 'everything'
  return given.scope === 'tenant' ? given.tenant : `${given.tenant}/${given.agent}`
}

const status = z.object({
  version: z.string(),
  revision: z.string(),
  needRestart: z.array(z.string()).optional(),
  ready: z.boolean(),
  addresses: z.object({ agents: z.string(), enrolment: z.string().optional(), operations: z.string().optional(), log: z.string().optional() }),
  log: z.object({
    size: z.number(),
    key: z.string(),
    quorum: z.number().optional(),
    cosignedSize: z.number().optional(),
    witnesses: z
      .array(z.object({ name: z.string(), state: z.string(), size: z.number(), time: z.string().optional(), problem: z.string().optional() }))
      .optional(),
  }),
  stdio: z.array(z.object({ tenant: z.string(), agent: z.string(), upstream: z.string(), state: z.string(), starts: z.number(), errors: z.string() })),
  exports: z
    .array(
      z.object({
        name: z.string(),
        format: z.string(),
        to: z.string(),
        next: z.number(),
        lagEntries: z.number(),
        lagMs: z.number(),
        failure: z.string().optional(),
      }),
    )
    .optional(),
  warnings: z.array(z.string()),
  blocks: z.array(block),
  tools: z.object({ held: z.number() }).optional(),
  payloads: z.object({ kept: z.number(), bytes: z.number() }).optional(),
})

export const tellStatus = telling(
  status,
  ({ version, revision, needRestart = [], ready, addresses, log, stdio, warnings, blocks, tools, payloads, exports = [] }) =>
    [
      aligned([
        ['ready', ready ? 'yes' : 'no: the log cannot be written, or the shared database is away, so nothing is forwarded'],
        ['version', version],
        ['revision', revision],
        ...(needRestart.length > 0 ? [['not taken over', `${needRestart.join(', ')}: restart the gateway`] as const] : []),
        ['agents', `https://${addresses.agents}`],
        ['enrolment', addresses.enrolment ?? 'off'],
        ['operations', addresses.operations ?? 'off'],
        ['log', `${log.size} entries${addresses.log === undefined ? '' : `, readable at http://${addresses.log}`}`],
        ['log key', log.key],
        ...(log.witnesses
          ? [['cosigned', `${log.cosignedSize ?? 0} entries, by ${log.quorum ?? 0} of ${log.witnesses.length} witnesses or more`] as const]
          : []),
        ['blocked', blocks.length === 0 ? 'nothing' : blocks.map(blockText).join(', ')],
        ...(payloads && payloads.kept > 0 ? [['payloads', `of ${payloads.kept} calls, ${Math.ceil(payloads.bytes / 1024)} KiB`] as const] : []),
        ...(tools && tools.held > 0 ? [['held tools', `${tools.held}: see sallyport tools list`]] : []),
      ]),
      ...(log.witnesses
        ? [
            table(
              ['WITNESS', 'STATE', 'COSIGNED', 'AT', 'PROBLEM'],
              log.witnesses.map(({ name, state, size, time, problem }) => [
                name,
                state === 'conflict' ? 'CONFLICT' : state,
                String(size),
                time ?? '',
                problem ?? '',
              ]),
            ),
          ]
        : []),
      ...warnings.map((warning) => `warning: ${warning}`),
      ...(exports.length === 0
        ? []
        : [
            table(
              ['EXPORT', 'FORMAT', 'TO', 'ARRIVED', 'BEHIND', 'TROUBLE'],
              exports.map(({ name, format, to, next, lagEntries, lagMs, failure }) => [
                name,
                format,
                to,
                `${next} entries`,
                lagEntries === 0 ? 'no' : `${lagEntries} entries, ${Math.round(lagMs / 1000)} s`,
                failure ?? '',
              ]),
            ),
          ]),
      ...(stdio.length === 0
        ? []
        : [
            table(
              ['PROGRAM', 'FOR', 'STATE', 'STARTS', 'ERRORS'],
              stdio.map(({ upstream, tenant, agent, state, starts, errors }) => [
                upstream,
                `${tenant}/${agent}`,
                state,
                String(starts),
                errors.trim().split('\n').at(-1) ?? '',
              ]),
            ),
          ]),
    ].join('\n'),
)

const agentShape = { tenant: z.string(), agent: z.string(), standing: z.string(), isBlocked: z.boolean().optional() }
const agents = z.object({ agents: z.array(z.object({ ...agentShape, registeredAtMs: z.number() })) })

export const tellAgents = telling(agents, ({ agents: all }) =>
  all.length === 0
    ? 'No agent is registered: sallyport agent add TENANT/AGENT'
    : table(
        ['AGENT', 'STANDING', 'BLOCKED', 'REGISTERED'],
        all.map(({ tenant, agent, standing, isBlocked, registeredAtMs }) => [
          `${tenant}/${agent}`,
          standing,
          isBlocked === true ? 'yes' : 'no',
          isoTime(registeredAtMs),
        ]),
      ),
)

const certificate = z.object({
  thumbprint: z.string(),
  previous: z.string().optional(),
  issuedAtMs: z.number(),
  notAfterMs: z.number(),
  revokedAtMs: z.number().optional(),
})

export const tellAgent = telling(z.object({ ...agentShape, certificates: z.array(certificate) }), ({ tenant, agent, standing, isBlocked, certificates }) => {
  const head = `${tenant}/${agent} is ${standing}${isBlocked === true ? ' and blocked' : ''}.`
  if (certificates.length === 0) return `${head} It has no certificate: it has not enrolled yet.`
  const rows = certificates.map(({ thumbprint, previous, issuedAtMs, notAfterMs, revokedAtMs }) => [
    thumbprint,
    isoTime(issuedAtMs),
    isoTime(notAfterMs),
    revokedAtMs === undefined ? 'no' : isoTime(revokedAtMs),
    previous ?? 'an enrolment',
  ])
  return `${head}\n${table(['CERTIFICATE', 'ISSUED', 'ENDS', 'REVOKED', 'CAME FROM'], rows)}`
})

export const tellRoots = telling(z.object({ roots: z.array(z.object({ fingerprint: z.string(), notAfterMs: z.number() })) }), ({ roots }) =>
  table(
    ['ROOT', 'ENDS', 'SIGNS AGENTS'],
    roots.map(({ fingerprint, notAfterMs }, index) => [fingerprint, isoTime(notAfterMs), index === roots.length - 1 ? 'yes' : 'no longer']),
  ),
)

const scope = z.discriminatedUnion('kind', [z.object({ kind: z.literal('shared') }), z.object({ kind: z.literal('tenant'), tenant: z.string() })])
const secrets = z.object({ secrets: z.array(z.object({ scope, name: z.string(), version: z.number(), setAtMs: z.number() })) })

export const tellSecrets = telling(secrets, ({ secrets: all }) =>
  all.length === 0
    ? 'No secret is set: sallyport secret set NAME reads one from standard input.'
    : table(
        ['SECRET', 'OF', 'VERSION', 'SET'],
        all.map(({ scope: of, name, version, setAtMs }) => [name, of.kind === 'shared' ? 'all tenants' : of.tenant, String(version), isoTime(setAtMs)]),
      ),
)

const approval = z.object({
  id: z.string(),
  requester: z.object({ tenant: z.string(), agent: z.string() }),
  expiresAt: z.number(),
  state: z.object({ kind: z.string(), person: z.string().optional() }),
  call: z.object({ upstream: z.string(), action: z.string(), resource: z.string() }).loose().nullable(),
  rules: z.array(z.string()),
})

export function tellApprovals(show: ShowOptions): (value: unknown) => string {
  return telling(z.object({ approvals: z.array(approval) }), ({ approvals }) =>
    approvals.length === 0 ? 'Nothing waits for a person.' : approvals.map((one) => tellApproval(one, show)).join('\n\n'),
  )
}

function tellApproval({ id, requester, expiresAt, state, call, rules }: z.infer<typeof approval>, show: ShowOptions): string {
  const what = call === null ? 'a call that is not known here any more' : `${call.upstream} ${call.action} ${call.resource}`
  const answer = state.kind === 'pending' ? `answer with: sallyport approve ${id}   or: sallyport deny ${id}` : tellAnswered(state)
  return [
    `${id}  ${requester.tenant}/${requester.agent} asks for ${what}`,
    `  held by ${rules.length === 0 ? 'a rule' : rules.join(', ')}, until ${isoTime(expiresAt)}; ${answer}`,
    ...(call === null ? [] : [shownJson(call, show).replaceAll(/^/gm, '  ')]),
  ].join('\n')
}

function tellAnswered({ kind, person = 'a person' }: z.infer<typeof approval>['state']): string {
  return kind === 'used' ? `approved by ${person}, and used` : `${kind} by ${person}`
}

const activated = z.object({
  kind: z.enum(['activated', 'unchanged']),
  revision: z.string(),
  needRestart: z.array(z.string()).optional(),
  warnings: z.array(z.string()),
})

export const tellReload = telling(activated, ({ kind, revision, needRestart = [], warnings }) =>
  [
    kind === 'unchanged' ? `Nothing has changed: revision ${revision} goes on.` : `Revision ${revision} is in force.`,
    ...(needRestart.length > 0 ? [`Only a restart takes over: ${needRestart.join(', ')}.`] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n'),
)
