import { z } from 'zod'
import { capture } from './capture.ts'
import { durationUpTo, hostPort, name } from './fields.ts'
import { certificateLifetime, cluster, defaultAddresses, limits } from './gateway.ts'
import { exported, exportsMax, logReading } from './log.ts'
import { quota, resultRule, rule } from './policy.ts'
import { runtimes } from './runtimes.ts'
import { sessions } from './sessions.ts'
import { alerts, telemetry } from './telemetry.ts'
import { a2aUpstream, httpUpstream, llmUpstream, mcpHttpUpstream, mcpStdioUpstream } from './upstreams.ts'

/**
 * `sallyport.yaml`. Unknown fields are errors. Everything that may be left out has its default where it is used, listed in `docs/configuration.md`.
 */
export const configuration = z
  .strictObject({
    version: z.literal(1),
    trustDomain: z.string().min(1).max(253).meta({ description: 'The SPIFFE trust domain, such as agents.example.com; fixed by `sallyport init`' }),
    listen: hostPort.optional().meta({ description: `Where agents connect with their certificates (default ${defaultAddresses.listen})` }),
    enrolment: z
      .union([hostPort, z.literal('off')])
      .optional()
      .meta({ description: `Where new agents exchange their one-time token for a certificate (default ${defaultAddresses.enrolment})` }),
    operations: z
      .union([hostPort, z.literal('off')])
      .optional()
      .meta({ description: `Health, readiness and metrics, for this host only (default ${defaultAddresses.operations})` }),
    log: logReading,
    names: z
      .array(z.string().min(1).max(253))
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'DNS names and addresses in the certificate of the gateway (default localhost and 127.0.0.1)' }),
    certificates: z
      .strictObject({ lifetime: certificateLifetime.optional(), enrolmentToken: durationUpTo('30d').optional() })
      .optional()
      .meta({ description: 'Lifetime of agent certificates, 1h to 24h (default 12h), and of enrolment tokens (default 15m)' }),
    threads: z
      .number()
      .int()
      .min(0)
      .max(64)
      .optional()
      .meta({ description: 'Threads that serve agents, beside one for the ledger; 0 (the default) serves them on the main thread' }),
    sessions,
    alerts,
    runtimes,
    cluster,
    limits,
    telemetry,
    upstreams: z.record(name, z.union([httpUpstream, mcpHttpUpstream, mcpStdioUpstream, llmUpstream, a2aUpstream])).default({}),
    rules: z.array(rule).max(10_000).default([]),
    quotas: z.array(quota).max(1000).default([]),
    exports: z
      .record(name, exported)
      .refine((all) => Object.keys(all).length <= exportsMax, `at most ${exportsMax} exports`)
      .optional()
      .meta({ description: 'Where the entries of the log are sent, by a name that the place where an export has stopped is kept under' }),
    searchIndex: z
      .boolean()
      .optional()
      .meta({ description: 'Keep the index that makes `log search` fast on long logs up to date, on a thread of its own (default false)' }),
    results: z.array(resultRule).max(1000).optional().meta({ description: 'What answers must not carry to agents' }),
    capture,
  })
  .meta({ title: 'Sallyport configuration' })

export type Configuration = z.infer<typeof configuration>

/** The JSON Schema that editors read, draft-07 because that is what they know. */
export function configurationJsonSchema(): object {
  return z.toJSONSchema(configuration, { io: 'input', target: 'draft-07' })
}
