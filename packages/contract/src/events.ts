import { z } from 'zod'

/**
 * The entries of the log. Each is canonical JSON (RFC 8785) of at most 65,535 bytes and carries `v` and `type`. A type only ever gains optional
 * members, so that an old reader understands a new log.
 */
const base = { v: z.literal(1), time: z.iso.datetime({ precision: 3 }).meta({ description: 'When the gateway appended the entry, UTC' }) }

const caller = z.strictObject({
  tenant: z.string(),
  agent: z.string(),
  certificate: z.string().meta({ description: 'x5t#S256 of the certificate that was shown' }),
  session: z.string().optional().meta({ description: 'The session whose ticket was shown' }),
  actors: z.array(z.string()).optional().meta({ description: 'The agents that passed this session on to the caller, the latest first' }),
})

const fact = z.union([z.string(), z.number(), z.boolean(), z.null()])

/** A call was judged. Durable before anything leaves. */
export const decisionEvent = z.strictObject({
  ...base,
  type: z.literal('decision'),
  request: z.string().meta({ description: 'The opaque id that the caller also got' }),
  caller,
  upstream: z.string(),
  action: z.string(),
  resource: z.string(),
  call: z
    .string()
    .meta({ description: 'Keyed digest of the exact call (HMAC-SHA-256): equal calls have equal digests, and the arguments cannot be guessed from it' }),
  revision: z.string().meta({ description: 'Digest of the configuration that judged' }),
  decision: z.enum(['deny', 'hold', 'permit']),
  code: z.string().optional().meta({ description: 'The problem code of a refusal' }),
  rules: z.array(z.string()).meta({ description: 'The rules that made the decision' }),
  shadow: z
    .array(z.strictObject({ rule: z.string(), decision: z.enum(['deny', 'hold', 'permit']) }))
    .optional()
    .meta({ description: 'What rules in shadow mode would have decided' }),
  facts: z.record(z.string(), fact).optional().meta({ description: 'The values that the conditions of these rules read' }),
  found: z
    .array(z.strictObject({ detector: z.string(), path: z.string(), count: z.number().int().min(1) }))
    .optional()
    .meta({ description: 'What detectors found that these rules ask, and where: how often, never what' }),
  reason: z.string().optional(),
  quotas: z.array(z.string()).optional().meta({ description: 'The quotas that were charged, or the exhausted one' }),
  reserved: z
    .strictObject({ tokens: z.number().int().min(0), cost: z.number().min(0).optional() })
    .optional()
    .meta({ description: 'The most that the call can use, held back in these quotas until its outcome' }),
  approval: z.string().optional().meta({ description: 'The approval that was asked for, or used' }),
  approvalExpires: z.iso.datetime({ precision: 3 }).optional(),
})

/**
 * A caller with a certificate was refused before any rule was asked, or did not fit its protocol; or a count of what was refused repeatedly, by rules too:
 * the first few of a kind are written singly, the rest as a count.
 */
export const refusalEvent = z.strictObject({
  ...base,
  type: z.literal('refusal'),
  caller: z.strictObject({ certificate: z.string(), tenant: z.string().optional(), agent: z.string().optional() }),
  upstream: z.string().optional().meta({ description: 'Of calls that rules or quotas refused' }),
  code: z.string(),
  reason: z.string(),
  request: z.string().optional().meta({ description: 'Absent for a count' }),
  count: z.number().int().min(1),
})

/** What became of a permitted call; `decision` is the index of the entry that permitted it. */
export const outcomeEvent = z.strictObject({
  ...base,
  type: z.literal('outcome'),
  request: z.string(),
  decision: z.number().int().min(0),
  result: z.enum(['answered', 'refused', 'failed', 'cancelled', 'unknown']).meta({ description: 'unknown: the gateway stopped before the exchange ended' }),
  status: z.number().int().optional(),
  code: z.string().optional(),
  reason: z.string().optional().meta({ description: 'Why it was refused or broke off, for the operator' }),
  error: z.boolean().optional().meta({ description: 'The tool or method answered with an error' }),
  requestBytes: z.number().int().min(0).optional(),
  answerBytes: z.number().int().min(0).optional(),
  milliseconds: z.number().min(0).optional(),
  sent: z.literal(false).optional().meta({ description: 'Nothing of the call reached the upstream' }),
  usage: z
    .strictObject({
      inputTokens: z.number().int().min(0).meta({ description: 'All of the input, what was cached included' }),
      outputTokens: z.number().int().min(0),
      cachedInputTokens: z.number().int().min(0).optional().meta({ description: 'The part of the input that the provider read from its cache' }),
      cost: z.number().min(0).optional().meta({ description: 'By the configured price of the model, rounded up to a millionth' }),
    })
    .optional()
    .meta({ description: 'What a language model says it used; absent when that is not known, and then the reserve counts as used' }),
  model: z.string().optional().meta({ description: 'The model that says it answered' }),
  stopReason: z.string().optional(),
  found: z
    .array(z.strictObject({ rule: z.string(), detector: z.string(), count: z.number().int().min(1), shadow: z.literal(true).optional() }))
    .optional()
    .meta({ description: 'What rules for results found in the answer: how often, never what; shadow: the rule changed nothing' }),
  toolCalls: z.array(z.string()).optional().meta({ description: 'The tools that the model asked for, by name, the first 64' }),
})

/** A person answered a held call. */
export const approvalEvent = z.strictObject({
  ...base,
  type: z.literal('approval'),
  approval: z.string(),
  call: z.string(),
  answer: z.enum(['approved', 'denied']),
  person: z.string(),
  note: z.string().optional(),
})

/** An act of the operator or of the gateway itself. */
export const adminEvent = z.strictObject({
  ...base,
  type: z.literal('admin'),
  act: z.string().meta({ description: 'For example agent.enrolled, agent.revoked, block.set, secret.rotated, configuration.activated' }),
  person: z.string().optional(),
  subject: z.record(z.string(), fact),
})

/** An upstream gave a tool a definition that the tenant's agents had not been shown before, or a person accepted one. */
export const toolEvent = z.strictObject({
  ...base,
  type: z.literal('tool'),
  act: z.enum(['pinned', 'held', 'accepted']).meta({ description: 'pinned: taken at first sight; held: kept from agents until a person accepts it' }),
  tenant: z.string(),
  upstream: z.string(),
  tool: z.string(),
  digest: z.string().meta({ description: 'SHA-256 of the canonical definition (RFC 8785), base64url' }),
  before: z.string().optional().meta({ description: 'The digest that counted until then' }),
  person: z.string().optional(),
})

/** Every tool of an upstream was seen once: from here on a new one is held. */
export const toolsListedEvent = z.strictObject({
  ...base,
  type: z.literal('tools-listed'),
  tenant: z.string(),
  upstream: z.string(),
  tools: z.number().int().min(0),
})

/** What became of a session, or of an attempt at one. A refresh that succeeded names the entry by which it was validated, and without that entry it did not happen. */
export const sessionEvent = z.strictObject({
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
  session: z.string(),
  caller: z
    .strictObject({ tenant: z.string(), agent: z.string(), certificate: z.string().optional() })
    .optional()
    .meta({ description: 'Who asked, by the certificate that was shown; of other acts, whose session it is' }),
  generation: z.number().int().min(0).optional().meta({ description: 'Of the handle: rises by one with each refresh' }),
  validation: z.number().int().min(0).optional().meta({ description: 'The index of the entry `validated` that allowed it' }),
  isProbe: z.literal(true).optional().meta({ description: 'The provider is asked again after an answer that left open what it did' }),
  issuer: z.string().optional(),
  subject: z.string().optional(),
  person: z.string().optional(),
  reason: z.string().optional(),
})

/** The gateway started or stopped, or one of its threads ended by itself and was replaced. */
export const gatewayEvent = z.strictObject({
  ...base,
  type: z.literal('gateway'),
  act: z.enum(['started', 'stopped', 'thread-replaced', 'ledger-replaced']),
  version: z.string(),
  revision: z.string(),
  unanswered: z
    .array(z.number().int().min(0))
    .optional()
    .meta({ description: 'Permitted calls that will have no outcome, because what would have told it is gone' }),
})

export const logEvent = z.discriminatedUnion('type', [
  decisionEvent,
  refusalEvent,
  outcomeEvent,
  approvalEvent,
  adminEvent,
  toolEvent,
  toolsListedEvent,
  sessionEvent,
  gatewayEvent,
])

export type DecisionEvent = z.infer<typeof decisionEvent>
export type RefusalEvent = z.infer<typeof refusalEvent>
export type OutcomeEvent = z.infer<typeof outcomeEvent>
export type ApprovalEvent = z.infer<typeof approvalEvent>
export type ToolEvent = z.infer<typeof toolEvent>
export type ToolsListedEvent = z.infer<typeof toolsListedEvent>
export type AdminEvent = z.infer<typeof adminEvent>
export type SessionEvent = z.infer<typeof sessionEvent>
export type GatewayEvent = z.infer<typeof gatewayEvent>
export type LogEvent = z.infer<typeof logEvent>
