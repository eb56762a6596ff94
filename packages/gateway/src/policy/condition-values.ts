import { celList, celMap, type CelInput, type CelMap } from '@bufbuild/cel'
import type { Json, JsonObject } from '@sallyport/contract'
import type { Meter } from './meter.ts'

/** Most elements of a list, or members of an object, that a condition can look at. */
export const elementsMax = 1000

/**
 * JSON as CEL sees it. Every number is a `double`, also 75: then a condition that works for 75 works for 75.5, and comparisons with whole literals
 * (`args.amount > 50`) hold across types.
 *
 * Objects are opened member by member, and every step is metered.
 */
export function conditionValue(value: Json, meter: Meter): CelInput {
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return listOf(value, meter)
  return mapOf(value, meter)
}

/**
 * The arguments of a call whose body passes unread. What is known of them can be asked; the body, or whether there is one, cannot: were it merely absent,
 * `deny when has(args.body.force)` would not see a forced call that streams past.
 */
export function unreadArguments(args: Json | undefined, meter: Meter): CelInput {
  if (typeof args !== 'object' || args === null || isList(args)) throw new Error(unreadMessage)
  return mapOf(args, meter, 'body')
}

const unreadMessage = 'the body of this call is streamed unread'

/** An object of our own making. */
export function conditionRecord(members: Readonly<Record<string, CelInput>>): CelMap {
  return celMap(new Map(Object.entries(members)))
}

/** A member that the caller sent; never one that every JavaScript object inherits. */
export function ownMember(value: Json, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !isList(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value)
}

function listOf(list: readonly Json[], meter: Meter): CelInput {
  if (list.length > elementsMax) throw new Error(`a list of more than ${elementsMax} elements`)
  meter.spend(list.length + 1)
  return celList(list.map((element) => conditionValue(element, meter)))
}

function mapOf(object: JsonObject, meter: Meter, unread?: string): CelMap {
  const members = new OwnMembers(object, meter, unread)
  const map = celMap(members)
  // The library's own `has` takes a member that is null for absent, so `deny when has(args.force)` could be passed with `"force": null`.
  map.has = (key) => typeof key === 'string' && members.has(key)
  return map
}

/** The own members of a JSON object and nothing inherited: `args.constructor` or `args.__proto__` exist only when the caller sent them. */
class OwnMembers implements ReadonlyMap<string, CelInput> {
  readonly #object: JsonObject
  readonly #meter: Meter
  /** A member of which nothing can be said. */
  readonly #unread: string | undefined
  #keys: readonly string[] | undefined

  constructor(object: JsonObject, meter: Meter, unread: string | undefined) {
    this.#object = object
    this.#meter = meter
    this.#unread = unread
  }

  get size(): number {
    return this.#names().length
  }

  get(key: string): CelInput | undefined {
    this.#look(key)
    const value = ownMember(this.#object, key)
    return value === undefined ? undefined : conditionValue(value, this.#meter)
  }

  has(key: string): boolean {
    this.#look(key)
    return Object.hasOwn(this.#object, key)
  }

  forEach(visit: (value: CelInput, key: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this)
  }

  *entries(): MapIterator<[string, CelInput]> {
    for (const key of this.#names()) {
      const value = this.get(key)
      if (value !== undefined) yield [key, value]
    }
  }

  keys(): MapIterator<string> {
    return this.#names().values()
  }

  *values(): MapIterator<CelInput> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries()
  }

  #look(key: string): void {
    if (key === this.#unread) throw new Error(unreadMessage)
    this.#meter.spend(1)
  }

  #names(): readonly string[] {
    if (this.#unread !== undefined) throw new Error(unreadMessage)
    this.#keys ??= Object.keys(this.#object)
    if (this.#keys.length > elementsMax) throw new Error(`an object of more than ${elementsMax} members`)
    this.#meter.spend(this.#keys.length + 1)
    return this.#keys
  }
}
