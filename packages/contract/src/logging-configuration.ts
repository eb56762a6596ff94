import { z } from 'zod'

export const loggingLimits = {
  memoryRecordsMax: 65_536,
  flushMsMax: 10_000,
  recordWithinMsMax: 60_000,
} as const

/** `agentport://host:port`, with brackets around an IPv6 address, and nothing else. */
const auditTarget = z
  .string()
  .regex(/^agentport:\/\/(?:\[[0-9a-f:.]+\]|[a-zA-Z0-9.-]{1,253}):[0-9]{1,5}$/, 'an address such as agentport://gateway.example.com:8443')

/** Where a runtime writes its records to: `logging` of its configuration. */
export const loggingConfiguration = z.strictObject({
  audit_target: auditTarget.meta({ description: 'The agents’ listener of a gateway that trusts the agent’s certificate' }),
  local_retention_hours: z
    .number()
    .refine((hours) => hours === 0, 'only 0: records are kept by the gateway, and nothing is written on this host')
    .default(0)
    .meta({ description: 'How long records are kept on the host of the agent: 0' }),
  required: z.boolean().default(true).meta({ description: 'Nothing is done while it cannot be recorded' }),
  memory_records: z
    .int()
    .min(1)
    .max(loggingLimits.memoryRecordsMax)
    .default(256)
    .meta({ description: 'Records that wait in memory for the gateway; past it, what must be recorded is refused' }),
  flush_ms: z.int().min(0).max(loggingLimits.flushMsMax).default(0).meta({ description: 'How long a record waits for others to be sent with' }),
  record_within_ms: z
    .int()
    .min(100)
    .max(loggingLimits.recordWithinMsMax)
    .default(5000)
    .meta({ description: 'How long work waits for its record to be durable before it is refused' }),
})

export type LoggingConfiguration = z.infer<typeof loggingConfiguration>

/** The file beside an identity: other members are for other readers of the same file, and are not judged here. */
export const loggingFile = z.object({ logging: loggingConfiguration })
