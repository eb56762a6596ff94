import { z } from 'zod'
import { recordKind, recordNumber, runId } from './runtime-records.ts'

/**
 * The entries of the log. Each is canonical JSON (RFC 8785) of at most 65,535 bytes and carries `v` and `type`. A type only ever gains optional
 * members, so that an old reader understands a new log.
 *
 * `docs/events.md` and `eventJsonSchema` are made of these schemas. Every member says what it means; one that came after the first version says `since` when.
 */
const base = {
  v: z.literal(1).meta({ description: 'The form of entries, which only gains types and optional members' }),
  time: z.iso.datetime({ precision: 3 }).meta({ description: 'When the gateway appended the entry, UTC; never before the entry in front of it' }),
}

const tenant = z.string().meta({ description: 'The tenant of the agent' })
const agent = z.string().meta({ description: 'The name of the agent within its tenant' })
const certificate = z.string().meta({ description: 'x5t#S256 of the certificate that was shown' })
const session = z.string().meta({ description: 'The session of a person behind the agent' })
const caller = z
  .strictObject({
    tenant,
    agent,
    certificate,
    session: z.string().optional().meta({ description: 'The session whose ticket was shown' }),
    actors: z.array(z.string()).optional().meta({ description: 'The agents that passed this session on to the caller, the latest first' }),
  })
  .meta({ description: 'Who called, by the certificate of the connection' })
const request = z.string().meta({ description: 'The opaque id that the caller also got' })
const upstream = z.string().meta({ description: 'What the call goes to, by its name in the configuration' })
const revision = z.string().meta({ description: 'Digest of the configuration that judged' })
const person = z.string().meta({ description: 'Who acted, as they were known to the gateway' })
const detector = z.string().meta({ description: 'The detector, such as secret/github-token' })
const findings = z.number().int().min(1).meta({ description: 'How often' })
const verdict = z.enum(['deny', 'hold', 'permit'])
const fact = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const decisionEvent = z
  .strictObject({
    ...base,
    type: z.literal('decision'),
    request,
    caller,
    upstream,
    action: z.string().meta({ description: 'What the call does, in the words of rules; cut after 1,024 characters' }),
    resource: z.string().meta({ description: 'What the call acts upon, in the words of rules; cut after 1,024 characters' }),
    call: z
      .string()
      .meta({ description: 'Keyed digest of the exact call (HMAC-SHA-256): equal calls have equal digests, and the arguments cannot be guessed from it' }),
    payload: z
      .strictObject({
        capture: z.enum(['digest', 'sealed']).meta({ description: 'sealed: they are kept beside the log, until they are erased' }),
        digest: z.string().meta({
          description:
            'sealed: SHA-256 of what is kept, a ciphertext; digest: keyed digest of the arguments (HMAC-SHA-256), equal for equal arguments within a tenant. Base64url',
        }),
        bytes: z.number().int().min(0).optional().meta({ description: 'Of the ciphertext, in steps, so that little is told of what it holds' }),
      })
      .optional()
      .meta({ description: 'What was kept of the arguments, without what detectors found in them' }),
    revision,
    decision: verdict.meta({ description: 'What was decided; hold: a person must answer first' }),
    code: z.string().optional().meta({ description: 'The problem code of a refusal' }),
    rules: z.array(z.string()).meta({ description: 'The rules that made the decision' }),
    shadow: z
      .array(
        z.strictObject({
          rule: z.string().meta({ description: 'The rule' }),
          decision: verdict.meta({ description: 'What it would have decided' }),
        }),
      )
      .optional()
      .meta({ description: 'What rules in shadow mode would have decided' }),
    facts: z.record(z.string(), fact).optional().meta({ description: 'The values that the conditions of these rules read' }),
    found: z
      .array(z.strictObject({ detector, path: z.string().meta({ description: 'Where, as a path into the call' }), count: findings }))
      .optional()
      .meta({ description: 'What detectors found that these rules ask, and where: how often, never what' }),
    reason: z.string().optional().meta({ description: 'More than the code says, for the operator' }),
    quotas: z.array(z.string()).optional().meta({ description: 'The quotas that were charged, or the exhausted one' }),
    reserved: z
      .strictObject({
        tokens: z.number().int().min(0).meta({ description: 'Input and output tokens' }),
        cost: z.number().min(0).optional().meta({ description: 'By the configured price of the model' }),
      })
      .optional()
      .meta({ description: 'The most that the call can use, held back in these quotas until its outcome' }),
    approval: z.string().optional().meta({ description: 'The approval that was asked for, or used' }),
    approvalExpires: z.iso.datetime({ precision: 3 }).optional().meta({ description: 'Until when that approval can be given and used' }),
  })
  .meta({ description: 'A call was judged. Durable before anything leaves.' })

export const refusalEvent = z
  .strictObject({
    ...base,
    type: z.literal('refusal'),
    caller: z
      .strictObject({ certificate, tenant: tenant.optional(), agent: agent.optional() })
      .meta({ description: 'Who called; only the certificate where it names no agent that counts' }),
    upstream: z.string().optional().meta({ description: 'Of calls that rules or quotas refused' }),
    code: z.string().meta({ description: 'The problem code' }),
    reason: z.string().meta({ description: 'Why, for the operator; the caller is not told' }),
    request: z.string().optional().meta({ description: 'The opaque id that the caller also got; absent for a count' }),
    count: z.number().int().min(1).meta({ description: 'How many refusals of the kind this entry stands for' }),
  })
  .meta({
    description:
      'A caller with a certificate was refused before any rule was asked, or did not fit its protocol; or a count of what was refused repeatedly, by rules too: the first few of a kind are written singly, the rest as a count.',
  })

export const outcomeEvent = z
  .strictObject({
    ...base,
    type: z.literal('outcome'),
    request,
    decision: z.number().int().min(0).meta({ description: 'The index of the entry that permitted the call' }),
    result: z.enum(['answered', 'refused', 'failed', 'cancelled', 'unknown']).meta({ description: 'unknown: the gateway stopped before the exchange ended' }),
    status: z.number().int().optional().meta({ description: 'The HTTP status of the upstream' }),
    code: z.string().optional().meta({ description: 'The problem code, where the gateway refused or broke off' }),
    reason: z.string().optional().meta({ description: 'Why it was refused or broke off, for the operator' }),
    error: z.boolean().optional().meta({ description: 'The tool or method answered with an error' }),
    requestBytes: z.number().int().min(0).optional().meta({ description: 'Bytes of the body that were sent to the upstream' }),
    answerBytes: z.number().int().min(0).optional().meta({ description: 'Bytes of the body that the upstream answered' }),
    milliseconds: z.number().min(0).optional().meta({ description: 'From the arrival of the request to the end of its exchange' }),
    sent: z.literal(false).optional().meta({ description: 'Nothing of the call reached the upstream' }),
    usage: z
      .strictObject({
        inputTokens: z.number().int().min(0).meta({ description: 'All of the input, what was cached included' }),
        outputTokens: z.number().int().min(0).meta({ description: 'All of the output' }),
        cachedInputTokens: z.number().int().min(0).optional().meta({ description: 'The part of the input that the provider read from its cache' }),
        cost: z.number().min(0).optional().meta({ description: 'By the configured price of the model, rounded up to a millionth' }),
      })
      .optional()
      .meta({ description: 'What a language model says it used; absent when that is not known, and then the reserve counts as used' }),
    model: z.string().optional().meta({ description: 'The model that says it answered' }),
    stopReason: z.string().optional().meta({ description: 'Why the model says it stopped' }),
    found: z
      .array(
        z.strictObject({
          rule: z.string().meta({ description: 'The rule for results' }),
          detector,
          count: findings,
          shadow: z.literal(true).optional().meta({ description: 'The rule changed nothing' }),
        }),
      )
      .optional()
      .meta({ description: 'What rules for results found in the answer: how often, never what' }),
    toolCalls: z.array(z.string()).optional().meta({ description: 'The tools that the model asked for, by name, the first 64' }),
  })
  .meta({ description: 'What became of a permitted call.' })

export const approvalEvent = z
  .strictObject({
    ...base,
    type: z.literal('approval'),
    approval: z.string().meta({ description: 'The approval that was asked for' }),
    call: z.string().meta({ description: 'Keyed digest of the exact call that the person saw' }),
    answer: z.enum(['approved', 'denied']).meta({ description: 'What they said' }),
    person,
    note: z.string().optional().meta({ description: 'Why, in their words' }),
  })
  .meta({ description: 'A person answered a held call.' })

export const adminEvent = z
  .strictObject({
    ...base,
    type: z.literal('admin'),
    act: z.string().meta({ description: 'For example agent.enrolled, agent.revoked, block.set, secret.rotated, configuration.activated' }),
    person: person.optional(),
    subject: z.record(z.string(), fact).meta({ description: 'What it was done to, by names that each act has its own of; never a secret' }),
  })
  .meta({ description: 'An act of the operator or of the gateway itself.' })

export const toolEvent = z
  .strictObject({
    ...base,
    type: z.literal('tool'),
    act: z.enum(['pinned', 'held', 'accepted']).meta({ description: 'pinned: taken at first sight; held: kept from agents until a person accepts it' }),
    tenant: z.string().meta({ description: 'The tenant whose agents are shown the tool' }),
    upstream,
    tool: z.string().meta({ description: 'The name of the tool' }),
    digest: z.string().meta({ description: 'SHA-256 of the canonical definition (RFC 8785), base64url' }),
    before: z.string().optional().meta({ description: 'The digest that counted until then' }),
    person: z.string().optional().meta({ description: 'Who accepted it' }),
  })
  .meta({ description: "An upstream gave a tool a definition that the tenant's agents had not been shown before, or a person accepted one." })

export const toolsListedEvent = z
  .strictObject({
    ...base,
    type: z.literal('tools-listed'),
    tenant: z.string().meta({ description: 'The tenant whose agents are shown these tools' }),
    upstream,
    tools: z.number().int().min(0).meta({ description: 'How many tools it has' }),
  })
  .meta({ description: 'Every tool of an upstream was seen once: from here on a new one is held.' })

/** A refresh that succeeded names the entry by which it was validated, and without that entry it did not happen. */
export const sessionEvent = z
  .strictObject({
    ...base,
    type: z.literal('session'),
    act: z
      .enum([
        'opened',
        'claimed',
        'validated',
        'rotated',
        'refreshed',
        'ownership-failed',
        'refused',
        'uncertain',
        'reauth-required',
        'reused',
        'revoked',
        'quarantined',
        'expired',
        'orphan-revoked',
        'orphan-lost',
      ])
      .meta({
        description:
          'validated: the caller proved that the session is its own; rotated: the provider gave new tokens, and they are kept; refreshed, claimed: the agent gets handle and ticket; refused, uncertain: what the provider answered; reused: a handle was shown that had been replaced, and the session is revoked; orphan-revoked, orphan-lost: a token of the provider that no session needs was given back, or could not be',
      }),
    session,
    caller: z
      .strictObject({ tenant, agent, certificate: certificate.optional() })
      .optional()
      .meta({ description: 'Who asked, by the certificate that was shown; of other acts, whose session it is' }),
    generation: z.number().int().min(0).optional().meta({ description: 'Of the handle: rises by one with each refresh' }),
    validation: z.number().int().min(0).optional().meta({ description: 'The index of the entry `validated` that allowed it' }),
    isProbe: z.literal(true).optional().meta({ description: 'The provider is asked again after an answer that left open what it did' }),
    client: z.string().optional().meta({ description: 'The program that the session was opened for, by the address of its metadata' }),
    resource: z.string().optional().meta({ description: 'The only path at which that program can use it' }),
    issuer: z.string().optional().meta({ description: 'The identity provider that the person logged in at' }),
    subject: z.string().optional().meta({ description: 'The person, as that provider names them' }),
    person: z.string().optional().meta({ description: 'Who ended the session, as they were known to the gateway' }),
    reason: z.string().optional().meta({ description: 'Why, for the operator' }),
  })
  .meta({ description: 'What became of a session, or of an attempt at one. A refresh that succeeded names the entry by which it was validated.' })

export const signalKinds = [
  'refresh-burst',
  'slow-path',
  'ownership-failed',
  'handle-reused',
  'no-session',
  'answer-unfit',
  'provider-slow',
  'provider-failing',
  'runtime-silent',
  'record-gap',
  'record-conflict',
] as const

export const signalEvent = z
  .strictObject({
    ...base,
    type: z.literal('signal'),
    kind: z.enum(signalKinds).meta({
      description:
        'refresh-burst: many refreshes, of an agent or, where none is named, of a tenant; slow-path: a session whose refreshes wait, end in doubt or are asked again; ownership-failed: a handle was shown by someone else; handle-reused: one that had been replaced; no-session: a refresh with a handle of no session that goes on; answer-unfit: a provider answered for another person, or with more than was granted; runtime-silent: a runtime was not heard for too long and had not signed off; record-gap: records of an agent never arrived; record-conflict: other records came under numbers that are taken',
    }),
    tenant: tenant.optional(),
    agent: z.string().optional().meta({ description: 'The agent whose certificate was shown, or whose session it is where nobody called' }),
    session: session.optional(),
    provider: z.string().optional().meta({ description: 'The identity provider, by its name in the configuration' }),
    count: z
      .number()
      .int()
      .min(1)
      .meta({ description: 'How often it was seen since the window began, or since the entry before of the same kind and about the same' }),
    seconds: z.number().min(0).meta({ description: 'The length of the window' }),
  })
  .meta({
    description:
      'Something odd in the traffic of refreshes or in the records of a runtime, once for each kind and window. What it is about stands in the entries of its session or its runs.',
  })

const runtime = z
  .strictObject({ tenant, agent, certificate: certificate.optional() })
  .meta({ description: 'Whose run it is, and by which certificate, where one was shown' })
const run = runId.meta({ description: 'The run: one life of a runtime, by a name that it has given itself' })

export const recordEvent = z
  .strictObject({
    ...base,
    type: z.literal('record'),
    request,
    caller: runtime,
    run,
    number: recordNumber.meta({
      description: 'Of the record within its run, as the runtime counts; each follows the one before, or a gap says which never came',
    }),
    sequence: z.number().int().min(1).meta({ description: 'How many records of this agent the log has, this one included' }),
    at: z.iso.datetime({ precision: 3 }).meta({ description: 'When it happened, by the clock of the agent’s host' }),
    kind: recordKind.meta({ description: 'What happened, in the words of the runtime' }),
    facts: z.record(z.string(), fact).meta({ description: 'More about it. A claim, like everything else in the record' }),
    redacted: findings.optional().meta({ description: 'So many facts held a secret and were withheld' }),
  })
  .meta({
    description:
      'A runtime recorded something that it saw. A claim by the host of the agent: the gateway knows who made it and when it came, not that it is true.',
  })

export const runtimeEvent = z
  .strictObject({
    ...base,
    type: z.literal('runtime'),
    act: z.enum(['opened', 'closed', 'silent', 'returned', 'gap', 'dropped']).meta({
      description:
        'closed: it signed off; silent: it was not heard for too long; gap: records were lost on the way or withheld; dropped: it was silent and made room for another run',
    }),
    caller: runtime,
    run,
    next: recordNumber.meta({ description: 'The number that the next record of the run has' }),
    missing: z.number().int().min(1).optional().meta({ description: 'Of a gap: how many numbers in front of that one never came' }),
    request: z.string().optional().meta({ description: 'The opaque id that the caller also got, where someone called' }),
  })
  .meta({ description: 'What became of the run of a runtime, whose records are in the log.' })

export const gatewayEvent = z
  .strictObject({
    ...base,
    type: z.literal('gateway'),
    act: z.enum(['started', 'stopped', 'thread-replaced', 'ledger-replaced']).meta({ description: 'What happened to it' }),
    version: z.string().meta({ description: 'The version of Sallyport' }),
    revision: z.string().meta({ description: 'Digest of the configuration in force' }),
    unanswered: z
      .array(z.number().int().min(0))
      .optional()
      .meta({ description: 'The indexes of permitted calls that will have no outcome, because what would have told it is gone' }),
  })
  .meta({ description: 'The gateway started or stopped, or one of its threads ended by itself and was replaced.' })

export const logEvent = z.discriminatedUnion('type', [
  decisionEvent,
  refusalEvent,
  outcomeEvent,
  approvalEvent,
  adminEvent,
  toolEvent,
  toolsListedEvent,
  sessionEvent,
  signalEvent,
  recordEvent,
  runtimeEvent,
  gatewayEvent,
])

/**
 * The JSON Schema (2020-12) of an entry, for those who read exports. Open, since later versions add members: what the gateway itself writes and verifies is
 * checked by `logEvent`, which takes no member that it does not know.
 */
export function eventJsonSchema(): object {
  return z.toJSONSchema(logEvent, {
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
    },
  })
}

export type DecisionEvent = z.infer<typeof decisionEvent>
export type RefusalEvent = z.infer<typeof refusalEvent>
export type OutcomeEvent = z.infer<typeof outcomeEvent>
export type ApprovalEvent = z.infer<typeof approvalEvent>
export type ToolEvent = z.infer<typeof toolEvent>
export type ToolsListedEvent = z.infer<typeof toolsListedEvent>
export type AdminEvent = z.infer<typeof adminEvent>
export type SessionEvent = z.infer<typeof sessionEvent>
export type SignalEvent = z.infer<typeof signalEvent>
export type RecordEvent = z.infer<typeof recordEvent>
export type RuntimeEvent = z.infer<typeof runtimeEvent>
export type GatewayEvent = z.infer<typeof gatewayEvent>
export type LogEvent = z.infer<typeof logEvent>
