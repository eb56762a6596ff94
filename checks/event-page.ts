import { eventJsonSchema } from '@sallyport/contract'
import { z } from 'zod'

/** The version that the members without a `since` of their own came with. */
const firstVersion = '0.1.0'

interface Node {
  readonly description?: string | undefined
  readonly since?: string | undefined
  readonly type?: string | readonly string[] | undefined
  readonly const?: unknown
  readonly enum?: readonly string[] | undefined
  readonly format?: string | undefined
  readonly minimum?: number | undefined
  readonly properties?: Readonly<Record<string, Node>> | undefined
  readonly required?: readonly string[] | undefined
  readonly items?: Node | undefined
  readonly additionalProperties?: Node | undefined
}

/** As much of JSON Schema as the events use; what else may come is refused here, not left out of the page. */
const node: z.ZodType<Node> = z.lazy(() =>
  z.strictObject({
    description: z.string().optional(),
    since: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    const: z.unknown().optional(),
    enum: z.array(z.string()).optional(),
    format: z.string().optional(),
    pattern: z.string().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    properties: z.record(z.string(), node).optional(),
    required: z.array(z.string()).optional(),
    items: node.optional(),
    additionalProperties: node.optional(),
    propertyNames: z.unknown().optional(),
  }),
)
const schema = z.object({ oneOf: z.array(node) })

export interface Member {
  readonly path: string
  readonly shape: string
  readonly isOptional: boolean
  readonly since: string
  /** Absent where the schema gives none. */
  readonly meaning: string | undefined
}

export interface EventType {
  readonly type: string
  readonly since: string
  readonly meaning: string | undefined
  readonly members: readonly Member[]
}

/** Every type of entry with its members, those inside others too, as the schemas have them. */
export function eventTypes(): readonly EventType[] {
  return schema.parse(eventJsonSchema()).oneOf.map((event) => {
    const since = event.since ?? firstVersion
    return { type: z.string().parse(event.properties?.['type']?.const), since, meaning: event.description, members: membersOf(event, '', since) }
  })
}

function membersOf(parent: Node, prefix: string, parentSince: string): readonly Member[] {
  return Object.entries(parent.properties ?? {}).flatMap(([name, member]) => {
    if (prefix === '' && name === 'type') return []
    const path = `${prefix}${name}`
    const since = member.since ?? parentSince
    const row = { path, shape: shapeOf(member), isOptional: parent.required?.includes(name) !== true, since, meaning: member.description }
    return [row, ...membersOf(member, `${path}.`, since), ...(member.items ? membersOf(member.items, `${path}[].`, since) : [])]
  })
}

function shapeOf({ type, const: constant, enum: choices, format, minimum, items, additionalProperties }: Node): string {
  if (constant !== undefined) return `\`${JSON.stringify(constant)}\``
  if (choices) return choices.map((choice) => `\`${choice}\``).join(', ')
  if (format === 'date-time') return 'time, ISO 8601 in UTC with milliseconds'
  if (Array.isArray(type)) return type.join(' or ')
  if (items) return items.properties ? 'list of objects' : `list of: ${shapeOf(items)}`
  if (additionalProperties) return `object of: ${shapeOf(additionalProperties)}`
  return `${type === 'integer' ? 'whole number' : String(type)}${minimum === undefined ? '' : ` from ${minimum}`}`
}

/** `docs/events.md`. */
export function eventPage(): string {
  return `${[head, ...eventTypes().map(sectionOf)].join('\n\n')}\n`
}

const head = `# Events

<!-- Made by \`npm run docs:events\` out of packages/contract/src/events.ts. A test compares the two. -->

Every entry of the log is one event: a JSON object, in canonical form (RFC 8785), of at most 65,535 bytes. \`v\` and \`type\` say how to read it. \`sallyport log schema\` prints the JSON Schema (2020-12) of what
stands here.

How events grow:

- A type only ever gains members, and these are optional. None changes its name, its shape or its meaning, none goes away, and none that was optional becomes required.
- New types may come. A reader leaves out types and members that it does not know; texts with a list of values here may gain values.
- \`v\` is 1 for as long as that holds. A log keeps the entries that it has: a reader of it meets both if it should ever become 2.
- Whoever verifies a log is stricter: \`sallyport log verify\` says how many entries are newer than itself.

Arguments, answers and secrets are in no event. \`facts\` and \`resource\` hold what the rules of your configuration read, so they are as private as that is.`

function sectionOf({ type, since, meaning, members }: EventType): string {
  return [
    `## ${type}`,
    '',
    `${meaning ?? ''} Since ${since}.`,
    '',
    '| Member | Shape | Since | Meaning |',
    '| --- | --- | --- | --- |',
    ...members.map((row) => `| \`${row.path}\` | ${row.shape}${row.isOptional ? '; optional' : ''} | ${row.since} | ${row.meaning ?? ''} |`),
  ].join('\n')
}
