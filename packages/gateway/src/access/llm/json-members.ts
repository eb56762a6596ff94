import type { Json, JsonObject } from '@sallyport/contract'

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** A member of the object's own; `null` counts as absent, as both APIs have it. */
export function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (!isObject(value) || !Object.hasOwn(value, name)) return undefined
  return value[name] ?? undefined
}

/**
 * A member that some parsers take for one of `names` and others do not: Go's encoding/json, for one, matches names whatever their case. The call would mean one
 * thing here and another there.
 */
export function lookalikeOf(object: JsonObject, names: ReadonlySet<string>): string | undefined {
  return Object.keys(object).find((name) => !names.has(name) && names.has(folded(name)))
}

/** Also undoes the letters outside ASCII that fold into it, U+017F and U+212A. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase()
}
