import { z } from 'zod'
import { recordLimits } from '../runtime-records.ts'
import { durationBetween } from './fields.ts'

export const heartbeatMsRange = { min: 100, max: 600_000 } as const

/** What stands in the configuration under `runtimes`. */
export const runtimes = z
  .strictObject({
    heartbeat: durationBetween(heartbeatMsRange, '100ms to 10m')
      .optional()
      .meta({ description: 'How often the runtimes of agents must be heard while they record (default 30s)' }),
    missedHeartbeats: z.number().int().min(1).max(100).optional().meta({ description: 'After so many that did not come a runtime is silent (default 3)' }),
    recordsPerMinute: z
      .number()
      .int()
      .min(recordLimits.perMessageMax)
      .max(1_000_000)
      .optional()
      .meta({ description: 'Records of one agent, and what else its runs write; twice as many at once (default 240)' }),
  })
  .optional()
  .meta({ description: 'What runtimes on agents’ hosts write into the log; see docs/operate/runtime-records.md' })

export type RuntimesConfiguration = NonNullable<z.infer<typeof runtimes>>
