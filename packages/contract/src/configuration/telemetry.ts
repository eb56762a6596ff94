import { z } from 'zod'
import { addresses, dayAtMost, durationMs, durationUpTo, file, headerName, name } from './fields.ts'

/** Each reads the log by itself. */
export const alerts = z
  .strictObject({
    refreshesPerAgent: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: 'So many refreshes of an agent in 5 minutes are a burst (default 100)' }),
    refreshesPerTenant: z.number().int().min(1).max(1_000_000).optional().meta({ description: 'The same of a tenant (default 1000)' }),
    providerSlow: dayAtMost.optional().meta({ description: 'An identity provider that takes so long for a refresh is slow (default 5s)' }),
    webhook: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .max(2048)
          .meta({ description: 'Where signals are sent; http for an address of this host alone' }),
        secret: name.optional().meta({ description: 'The name given to `sallyport secret set`: what signs each message' }),
        perMinute: z.number().int().min(1).max(600).optional().meta({ description: 'At most so many messages (default 10); the rest is counted' }),
        addresses,
        ca: file.optional().meta({ description: 'PEM file of the certificate authorities to trust for it' }),
      })
      .optional()
      .meta({ description: 'Who is told of signals, as Standard Webhooks' }),
  })
  .optional()
  .meta({ description: 'What of the traffic of refreshes is odd, and who is told' })

/** What the exporter itself writes, or what says how the message is framed. */
const framingHeaders: ReadonlySet<string> = new Set(['host', 'content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'connection'])

const receiver = {
  endpoint: z
    .url({ protocol: /^https?$/ })
    .refine((text) => URL.parse(text)?.username === '', 'a URL without a user name: credentials go into headers')
    .meta({ description: 'The whole URL, such as http://127.0.0.1:4318/v1/traces' }),
  headers: z
    .record(
      headerName.refine((text) => !framingHeaders.has(text), 'the gateway fills this header itself'),
      z.strictObject({
        secret: name.meta({ description: 'The name given to `sallyport secret set`' }),
        format: z
          .string()
          .max(256)
          .regex(/\{secret\}/, 'must contain {secret}')
          .optional()
          .meta({ description: 'Default: {secret}' }),
      }),
    )
    .optional()
    .meta({ description: 'Credentials for the receiver, from the secret store' }),
}

/** Shorter, and the receiver hears the same numbers over and over. */
export const metricsIntervalMsMin = 1000

export const telemetry = z
  .strictObject({
    traces: z
      .strictObject({
        ...receiver,
        sample: z.number().min(0).max(1).optional().meta({ description: 'The share of traces that is kept (default 1)' }),
        trust: z
          .enum(['none', 'link', 'parent'])
          .optional()
          .meta({ description: "What an agent's own traceparent is good for: nothing, a link (default), or to be the parent of ours" }),
        propagate: z.boolean().optional().meta({ description: "Whether upstreams get the gateway's own traceparent in place of the agent's (default false)" }),
      })
      .optional(),
    metrics: z
      .strictObject({
        ...receiver,
        interval: durationUpTo('1h')
          .refine((text) => !(durationMs(text) < metricsIntervalMsMin), 'at least 1s')
          .optional()
          .meta({ description: 'Default 60s' }),
      })
      .optional(),
  })
  .optional()
  .meta({ description: 'OpenTelemetry over OTLP/HTTP' })

export type AlertsConfiguration = NonNullable<z.infer<typeof alerts>>

export type TelemetryConfiguration = NonNullable<z.infer<typeof telemetry>>
