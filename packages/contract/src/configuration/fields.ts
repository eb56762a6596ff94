import { z } from 'zod'

/** `500ms`, `30s`, `10m`, `12h`, `7d`: parsed to milliseconds. */
export const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export const duration = z
  .string()
  .regex(/^[1-9][0-9]{0,8}(ms|s|m|h|d)$/, 'a duration such as 500ms, 30s, 10m, 12h or 7d')
  .meta({ description: 'A duration: a whole number and ms, s, m, h or d', examples: ['30s'] })

export function durationMs(text: string): number {
  const unit = text.replace(/^[0-9]+/, '') as keyof typeof unitsMs
  return Number.parseInt(text, 10) * unitsMs[unit]
}

/** A day for what someone waits for: timers hold 24 days, and a longer one would be over at once. */
export const dayAtMost = durationUpTo('24h')

export function durationUpTo(longest: string): typeof duration {
  // A text that is no duration has its own fault.
  return duration.refine((text) => !(durationMs(text) > durationMs(longest)), `at most ${longest}`)
}

export function durationBetween({ min, max }: { readonly min: number; readonly max: number }, words: string): typeof duration {
  return duration.refine((text) => {
    const ms = durationMs(text)
    return Number.isNaN(ms) || (ms >= min && ms <= max)
  }, `expected a duration of ${words}`)
}

/** `512B`, `64KiB`, `1MiB`, `2GiB`: parsed to bytes. */
const unitsBytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

export const size = z
  .string()
  .regex(/^[1-9][0-9]{0,8}(B|KiB|MiB|GiB)$/, 'a size such as 512B, 64KiB, 1MiB or 2GiB')
  .meta({ description: 'A size: a whole number and B, KiB, MiB or GiB', examples: ['1MiB'] })

export function sizeBytes(text: string): number {
  const unit = text.replace(/^[0-9]+/, '') as keyof typeof unitsBytes
  return Number.parseInt(text, 10) * unitsBytes[unit]
}

export const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63 characters')

export const hostPort = z.string().regex(/^(?:\[[0-9a-f:]+\]|[a-zA-Z0-9.-]+):[0-9]{1,5}$/, 'an address such as 127.0.0.1:8443')

export const headerName = z.string().regex(/^[a-z0-9!#$%&'*+.^`|~-]{1,64}$/, 'a header name in lower case without underscores')

/** A glob over one word: `*` stands for any run of characters, everything else for itself. */
const glob = z.string().min(1).max(256)

export const globs = z.union([glob, z.array(glob).min(1).max(256)])

export const match = z
  .strictObject({ tenant: globs.optional(), agent: globs.optional(), upstream: globs.optional(), action: globs.optional() })
  .meta({ description: 'What the rule is about; a field that is left out matches everything' })

export const addresses = z
  .strictObject({
    allow: z
      .array(z.string().regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/, 'a CIDR range such as 10.1.0.0/16'))
      .max(64)
      .optional()
      .meta({ description: 'Private, loopback or otherwise special ranges this upstream may live in' }),
    pin: z
      .array(z.string().regex(/^[0-9a-fA-F.:]+$/, 'an IP address'))
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'The only addresses ever dialled; the resolver is not asked' }),
  })
  .optional()

export const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'a scope without spaces and quotes')

export const file = z.string().min(1).max(4096)

export type MatchConfiguration = z.infer<typeof match>
