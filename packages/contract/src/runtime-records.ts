import { z } from 'zod'

/**
 * What runtimes write into the log of the gateway: `POST /sallyport/v1/runs` begins a run, `POST /sallyport/v1/records` adds to it, keeps it alive and ends it.
 *
 * A record is a claim by the agent's host. All of it is bounded and flat, holds no control or format characters, and so can be shown as it stands.
 */
export const recordLimits = {
  /** Records of one message. */
  perMessageMax: 64,
  messageBytesMax: 262_144,
  /** Of one record's facts, as canonical JSON. */
  factsBytesMax: 2048,
  factsMax: 32,
  factCharactersMax: 1024,
  numberMax: 1_000_000_000_000,
} as const

/** No control, format, line or paragraph separator, and no half of a character. */
const plainText = z
  .string()
  .max(recordLimits.factCharactersMax)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u)
const factName = z.string().regex(/^[a-zA-Z][a-zA-Z0-9]{0,31}$/)
const fact = z.union([plainText, z.number(), z.boolean(), z.null()])

export const recordKind = z.string().regex(/^[a-z][a-z0-9-]{0,23}(?:\.[a-z][a-z0-9-]{0,23}){0,3}$/)
export const recordFacts = z
  .record(factName, fact)
  .refine((facts) => Object.keys(facts).length <= recordLimits.factsMax, `at most ${recordLimits.factsMax} facts`)
  .refine((facts) => new TextEncoder().encode(JSON.stringify(facts)).length <= recordLimits.factsBytesMax, `at most ${recordLimits.factsBytesMax} bytes`)
/** What names a run: nothing that a secret would fit in unseen. */
export const runId = z.uuid()
export const recordNumber = z.int().min(1).max(recordLimits.numberMax)

export const runtimeRecord = z.strictObject({
  at: z.iso.datetime({ precision: 3 }).meta({ description: 'When it happened, by the clock of the agent’s host' }),
  kind: recordKind.meta({ description: 'What happened, such as bridge.opened' }),
  facts: recordFacts,
})

export type RuntimeRecord = z.infer<typeof runtimeRecord>

/** `POST /sallyport/v1/runs`. The same again, before there are records, is answered the same. */
export const runRequest = z.strictObject({ run: runId })

/** Unknown members are ignored, so that a newer gateway can say more. */
export const runAnswer = z.object({
  next: recordNumber.meta({ description: 'The number of the first record' }),
  heartbeatMs: z.int().min(1).max(3_600_000).meta({ description: 'The longest that the run may be without a message; silence becomes an alert' }),
})

/**
 * `POST /sallyport/v1/records`. Without records it is a heartbeat. `first` is the number of the first record, or of the next one where there is none: where it is past
 * what the gateway has, records were lost, and the log says so. Records that the log has already are not written again, as long as they are those of the last message.
 */
export const recordsRequest = z
  .strictObject({
    run: runId,
    first: recordNumber,
    records: z.array(runtimeRecord).max(recordLimits.perMessageMax),
    isLast: z.literal(true).exactOptional().meta({ description: 'The run ends with these' }),
  })
  .refine(({ first, records }) => first + records.length <= recordLimits.numberMax, 'the numbers are too high')

export type RecordsRequest = z.infer<typeof recordsRequest>

/** Comes only when all of them are durable. */
export const recordsAnswer = z.object({
  next: recordNumber,
  indexes: z.array(z.int().min(0)).max(recordLimits.perMessageMax).meta({ description: 'Of the entry of each record, in their order' }),
})

export type RunAnswer = z.infer<typeof runAnswer>
export type RecordsAnswer = z.infer<typeof recordsAnswer>
