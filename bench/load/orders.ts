import { z } from 'zod'

const tls = z.object({ cert: z.string(), key: z.string(), ca: z.string() })

/** Whom to call. */
const target = z.object({ origin: z.string(), tls: tls.optional() })

/** One request, and what its answer must be: a candidate that answers something else does other work. */
const request = z.object({ method: z.enum(['GET', 'POST']), path: z.string(), body: z.string().optional(), answerBytes: z.number() })

/** What the load generator is told, one after the other. */
export const orderSchema = z.discriminatedUnion('act', [
  z.object({ act: z.literal('open'), target, connections: z.number() }),
  /** As much as goes, with so many in flight. */
  z.object({ act: z.literal('press'), request, inFlight: z.number(), seconds: z.number() }),
  /** So many a second, whatever becomes of them. */
  z.object({ act: z.literal('pace'), request, perSecond: z.number(), seconds: z.number() }),
  /** Opens connections, makes one request on each, and holds them. */
  z.object({ act: z.literal('hold'), target, request, connections: z.number() }),
  z.object({ act: z.literal('close') }),
])

export type Order = z.infer<typeof orderSchema>
export type Target = z.infer<typeof target>
export type ClientTls = z.infer<typeof tls>
export type BenchRequest = z.infer<typeof request>

export const reportSchema = z.object({
  requests: z.number(),
  /** Of the generator itself. */
  cpuMicroseconds: z.number(),
  seconds: z.number(),
  /** Milliseconds from the request to the end of its answer, ascending; of `pace` alone. */
  latencies: z.array(z.number()),
  failure: z.string().optional(),
})

export type LoadReport = z.infer<typeof reportSchema>
