import { durationMs, duration, Fault } from '@sallyport/contract'
import { parseDocument } from 'yaml'
import { z } from 'zod'

/** Largest mapping that is read, in UTF-16 units. */
const mappingLengthMax = 65_536
const levelsMax = 16

/** Names from the outside in: `session.id`, or a list where a name has a dot in it. */
const path = z.union([z.string().min(1).max(512), z.array(z.string().min(1).max(256)).min(1).max(levelsMax)]).transform((given) => {
  return typeof given === 'string' ? given.split('.') : given
})
const scalar = z.union([z.string().max(1024), z.number(), z.boolean(), z.null()])
const where = z
  .record(z.string().min(1).max(512), z.union([scalar, z.array(scalar).min(1).max(64)]))
  .refine((fields) => Object.keys(fields).length > 0, 'name at least one field')
  .transform((fields) => Object.entries(fields).map(([name, value]) => ({ path: name.split('.'), anyOf: Array.isArray(value) ? value : [value] })))

const mapping = z.strictObject({
  version: z.literal(1),
  time: z.strictObject({ field: path, format: z.enum(['iso', 'seconds', 'milliseconds']).default('iso') }),
  session: path,
  agent: path.optional(),
  refresh: where,
  validation: where,
  within: duration.default('30s').transform(durationMs),
  skew: duration.optional().transform((text) => (text === undefined ? 0 : durationMs(text))),
})

/** How the log of another system says what a hunt asks. @see docs/operate/sessions.md */
export type Mapping = z.infer<typeof mapping>
export type FieldPath = Mapping['session']
export type Where = Mapping['refresh']

/** @throws Fault that says what does not fit */
export function readMapping(text: string, fileName: string): Mapping {
  if (text.length > mappingLengthMax) throw new Fault(`${fileName} is larger than ${mappingLengthMax} characters`, 'not-done')
  const document = parseDocument(text, { strict: true, uniqueKeys: true })
  const [error] = document.errors
  if (error) throw new Fault(`${fileName}: ${error.message}`, 'not-done')
  const read = mapping.safeParse(document.toJS({ maxAliasCount: 0 }))
  if (read.success) return read.data
  throw new Fault(`${fileName} is no mapping:\n${z.prettifyError(read.error)}`, 'not-done')
}
