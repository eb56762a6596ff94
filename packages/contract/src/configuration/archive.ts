import { z } from 'zod'
import { durationBetween, name } from './fields.ts'

/** For how long objects are kept in the archive. */
export const retainMsRange = { min: 86_400_000, max: 36_500 * 86_400_000 } as const
/** How long the archive may lag behind the log by design. */
export const archiveEveryMsRange = { min: 1_000, max: 86_400_000 } as const

/** S3's own rules, without the forms that clash with host names or other services. */
const bucketName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/, 'lower-case letters, digits and inner hyphens, 3 to 63 characters')
const keyPrefix = z
  .string()
  .max(512)
  .regex(/^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)+$/, 'folders of letters, digits, dots, hyphens and underscores, each with a slash behind it, such as gateway-1/')

/** What stands in the configuration under `log.archive`. */
export const archive = z
  .strictObject({
    s3: z
      .strictObject({
        bucket: bucketName.meta({ description: 'A bucket with Object Lock' }),
        prefix: keyPrefix.meta({ description: 'What the keys of this log begin with, such as gateway-1/: each log needs one of its own' }),
        region: z
          .string()
          .regex(/^[a-z0-9-]{1,64}$/, 'a region such as eu-central-1')
          .meta({ description: 'The region of the bucket' }),
        endpoint: z
          .url({ protocol: /^https?$/ })
          .max(2048)
          .optional()
          .meta({ description: 'An S3 of another provider; http for an address of this host alone (default: that of AWS)' }),
        accessKeyId: z
          .string()
          .regex(/^[\x21-\x7e]{1,128}$/, 'visible characters, at most 128')
          .optional()
          .meta({ description: 'Its access key; without one the usual places of the AWS SDK are asked' }),
        secret: name.optional().meta({ description: 'The name given to `sallyport secret set`: the secret of that access key' }),
      })
      .meta({ description: 'Where the archive is' }),
    retain: durationBetween(retainMsRange, '1d to 36500d').optional().meta({ description: 'Nobody can remove an object for so long (default 2555d)' }),
    every: durationBetween(archiveEveryMsRange, '1s to 24h')
      .optional()
      .meta({ description: 'How often the end of the log that is not whole yet is kept too (default 60s)' }),
  })
  .optional()
  .meta({ description: 'Where the log is kept so that nobody can remove it; see docs/operate/archive.md' })

export type ArchiveConfiguration = NonNullable<z.infer<typeof archive>>
