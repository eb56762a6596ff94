import { configurationJsonSchema } from '@sallyport/contract'
import { upstreamBranch } from './upstream-branch.ts'

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

/** The fields that may stand at a place of the configuration, from its JSON Schema; empty where names are free. */
export function knownFields(path: readonly (string | number)[], value: unknown): readonly string[] {
  const schema: Schema = configurationJsonSchema()
  return Object.keys(below(schema, path, value)?.properties ?? {})
}

function below(schema: Schema, path: readonly (string | number)[], value: unknown): Schema | undefined {
  let at: Schema | undefined = branchOf(schema, value)
  let held = value
  for (const step of path) {
    held = typeof held === 'object' && held !== null ? Object.entries(held).find(([name]) => name === String(step))?.[1] : undefined
    const next: Schema | boolean | undefined = typeof step === 'number' ? at?.items : (at?.properties?.[step] ?? at?.additionalProperties)
    if (typeof next !== 'object') return undefined
    at = branchOf(next, held)
  }
  return at
}

/** Of the kinds of upstream the one that is meant; of a text or a list of texts, neither has fields. */
function branchOf(schema: Schema, value: unknown): Schema | undefined {
  if (!schema.anyOf) return schema
  const branch = upstreamBranch(value)
  return branch === undefined ? undefined : schema.anyOf[branch]
}
