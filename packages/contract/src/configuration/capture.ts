import { z } from 'zod'
import { durationUpTo, match, size } from './fields.ts'

/** `digest`: a keyed digest of the arguments stands in the entry. `sealed`: they are kept beside the log, under a key of their own that can be destroyed. */
export const captureModes = ['off', 'digest', 'sealed'] as const
export type CaptureMode = (typeof captureModes)[number]

const mode = z.enum(captureModes)

/** What stands in the configuration under `capture`. */
export const capture = z
  .strictObject({
    default: mode.optional().meta({ description: 'For calls that no rule of these matches (default off)' }),
    rules: z
      .array(z.strictObject({ match, then: mode }))
      .max(1000)
      .optional()
      .meta({ description: 'What becomes of the arguments of a call; of several that match it, the one that keeps least counts' }),
    redact: z.array(z.string().min(1).max(64)).max(64).optional().meta({
      description: 'Detectors or their groups, such as personal/credit-card: what they find is taken out before anything is kept, beside every secret',
    }),
    facts: z
      .boolean()
      .optional()
      .meta({ description: 'Whether entries tell in clear the arguments that conditions read, which can never be erased (default true)' }),
    keep: durationUpTo('3650d').optional().meta({ description: 'Sealed arguments that are older are erased (default: they are kept)' }),
    size: size.optional().meta({ description: 'The most that is kept, in all (default 1GiB); past it, calls that must be kept are refused' }),
    sizePerAgent: size.optional().meta({ description: 'The most that is kept of one agent (default a quarter of size)' }),
  })
  .optional()
  .meta({ description: 'What is kept of the arguments of calls, beside the log; see docs/operate/payloads.md' })

export type CaptureConfiguration = NonNullable<z.infer<typeof capture>>
