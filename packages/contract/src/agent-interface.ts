import { z } from 'zod'
import { problems, type ProblemCode, type ProblemDocument } from './problem.ts'

/** Paths under which an agent asks the gateway about itself. */
export const ownPaths = {
  whoami: '/sallyport/v1/whoami',
  catalog: '/sallyport/v1/catalog',
  certificate: '/sallyport/v1/certificate',
} as const

/** `GET /sallyport/v1/whoami`. Unknown members are ignored, so that a newer gateway can say more. */
export const whoamiAnswer = z.object({
  id: z.string().max(2048),
  tenant: z.string().max(63),
  agent: z.string().max(63),
  notAfter: z.iso.datetime({ precision: 3 }),
})

export type WhoamiAnswer = z.infer<typeof whoamiAnswer>

/** `GET /sallyport/v1/catalog`: what this agent could reach, judged by `match` alone. */
export const catalogAnswer = z.object({
  upstreams: z
    .array(
      z.object({
        name: z.string().max(63),
        protocol: z.enum(['http', 'mcp', 'llm']),
        hosts: z.array(z.string().max(259)).max(32).meta({ description: 'Names, with a port or without, under which an HTTP proxy client may call it' }),
      }),
    )
    .max(4096),
})

export type CatalogAnswer = z.infer<typeof catalogAnswer>

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problems, code)

const problemAnswer = z.object({
  type: z.string().startsWith('https://sallyport.dev/problems/').max(256),
  title: z.string().max(512),
  status: z.int().min(400).max(599),
  code: z.string().max(128).refine(isProblemCode),
  instance: z.string().max(256),
  detail: z.string().max(4096).exactOptional(),
  retryAfterSeconds: z.int().min(0).exactOptional(),
  approval: z.object({ id: z.string().max(256), expiresAt: z.string().max(64) }).exactOptional(),
})

/**
 * Reads a problem document that came over the wire; `undefined` for anything else, one with a code that this version does not know included.
 *
 * It says what the answer claims: an upstream can imitate it, so it may inform a caller and never authorise anything.
 *
 * @see RFC 9457 section 3
 */
export function parseProblemDocument(value: unknown): ProblemDocument | undefined {
  const parsed = problemAnswer.safeParse(value)
  return parsed.success ? parsed.data : undefined
}
