import { z } from 'zod'
import { archive } from './archive.ts'
import { hostPort, size } from './fields.ts'
import { upstreamTls } from './upstreams.ts'

export const exportsMax = 16

export const exported = z
  .strictObject({
    format: z.enum(['jsonl', 'ocsf', 'syslog']).meta({ description: 'jsonl: the entries themselves, a line each; ocsf: OCSF 1.8.0 in JSON; syslog: RFC 5424' }),
    to: z
      .string()
      .min(1)
      .max(4096)
      .regex(/^(?:tls:\/\/(?:\[[0-9a-f:]+\]|[a-zA-Z0-9.-]+):[0-9]{1,5}|(?![a-z0-9+.-]+:\/\/).*[^/])$/, 'a file, or tls://HOST:PORT')
      .meta({ description: 'A file, or tls://HOST:PORT' }),
    tls: upstreamTls.meta({ description: 'For tls://: whom to trust, and what to show' }),
    rotate: z
      .strictObject({
        size: size.optional().meta({ description: 'The file is put aside when it has so many bytes (default 100MiB)' }),
        keep: z.number().int().min(0).max(10_000).optional().meta({ description: 'How many of those put aside are kept (default 10)' }),
      })
      .optional()
      .meta({ description: 'For a file' }),
  })
  .meta({ description: 'Every entry of the log, from the first one on, at least once; see docs/operate/export.md' })

export const logReading = z
  .strictObject({
    listen: z
      .union([hostPort, z.literal('off')])
      .optional()
      .meta({ description: 'Where anyone can read the log, every entry of it, to verify it (default off)' }),
    witnesses: z
      .array(
        z.strictObject({
          vkey: z.string().min(1).max(512).meta({ description: 'Its key, as `sallyport witness status` prints it' }),
          url: z.url({ protocol: /^https?$/ }).meta({ description: 'Its submission prefix' }),
        }),
      )
      .max(32)
      .optional()
      .meta({ description: 'Who cosigns each checkpoint, so that nobody can be shown another log' }),
    quorum: z.number().int().min(1).max(32).optional().meta({ description: 'How many of them must cosign a checkpoint before it is shown (default: all)' }),
    archive,
  })
  .optional()
  .meta({ description: 'Who else can see the log' })

export type ExportConfiguration = z.infer<typeof exported>
