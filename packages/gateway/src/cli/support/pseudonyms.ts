import { createHmac } from 'node:crypto'

export type NameKind = 'tenant' | 'agent' | 'person'

/** How names of agents, tenants and persons are shown. */
export type ShowName = (kind: NameKind, name: string) => string

/**
 * One pseudonym for each name, the same throughout one bundle and another in the next: the key is forgotten with the bundle, so that a list of likely names
 * cannot be tried against it.
 */
export function pseudonyms(key: Uint8Array): ShowName {
  return (kind, name) => `${kind}-${createHmac('sha256', key).update(`${kind}|${name}`).digest('hex').slice(0, 12)}`
}

export const ownNames: ShowName = (_, name) => name
