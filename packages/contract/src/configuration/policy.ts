import { z } from 'zod'
import { durationUpTo, match, name } from './fields.ts'

export const rule = z.strictObject({
  id: name.meta({ description: 'The name by which the log and `explain` speak of this rule' }),
  match,
  when: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .meta({ description: 'A CEL expression over args, action, resource, subject, upstream and context; a rule without it always applies' }),
  then: z.enum(['deny', 'hold', 'permit']),
  approval: z
    .strictObject({ expires: durationUpTo('30d').optional() })
    .optional()
    .meta({ description: 'For hold: how long a person has to answer and the agent to use the answer (default 10m)' }),
  mode: z.enum(['enforce', 'shadow']).optional().meta({ description: 'shadow writes what the rule would do to the log and changes nothing' }),
})

export const resultRule = z.strictObject({
  id: name.meta({ description: 'The name by which the log speaks of this rule' }),
  match,
  detect: z.array(z.string().min(1).max(64)).min(1).max(64).meta({ description: 'Detectors or their groups, such as secret or personal/credit-card' }),
  then: z.enum(['deny', 'redact']).meta({ description: 'redact replaces what is found, deny withholds the answer or breaks it off' }),
  binary: z
    .enum(['deny', 'pass'])
    .optional()
    .meta({ description: 'For deny: what happens to answers that are no text, in which nothing can be found (default pass)' }),
  mode: z.enum(['enforce', 'shadow']).optional().meta({ description: 'shadow counts what is found in the log and changes nothing' }),
})

export const quota = z.strictObject({
  id: name,
  match: match.optional(),
  per: z.array(z.enum(['tenant', 'agent', 'upstream', 'action'])).min(1),
  requests: z.number().int().min(1).max(1_000_000_000).optional(),
  tokens: z.number().int().min(1).max(1_000_000_000).optional().meta({ description: 'Input and output tokens of language models' }),
  cost: z
    .number()
    .min(0.000001)
    .max(1_000_000_000)
    .multipleOf(0.000001)
    .optional()
    .meta({ description: 'What tokens cost by the prices of their upstream, in the currency of these prices' }),
  window: durationUpTo('366d'),
  burst: z.number().int().min(1).max(1_000_000_000).optional().meta({ description: 'How many requests may come at once (default: requests)' }),
})

export type RuleConfiguration = z.infer<typeof rule>

export type QuotaConfiguration = z.infer<typeof quota>

export type ResultRuleConfiguration = z.infer<typeof resultRule>
