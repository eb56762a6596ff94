import type { TenantName } from '@sallyport/contract'

/** Whose secret it is: one tenant's, or shared by all tenants that have none of their own. */
export type SecretScope = { readonly kind: 'shared' } | { readonly kind: 'tenant'; readonly tenant: TenantName }

/** What may be shown of a secret. */
export interface SecretRecord {
  readonly scope: SecretScope
  readonly name: string
  /** Begins at 1 and grows with each rotation. */
  readonly version: number
  readonly setAtMs: number
}

/**
 * The credentials of upstreams, sealed at rest. Whoever holds the store without the sealing key can delete a secret or put back an older record of the same
 * secret, but can neither read one nor move it to another tenant, name or version.
 *
 * Every change is durable when it resolves. All verbs throw `Fault` when the store cannot be read or written.
 */
export interface SecretStore {
  /** Keeps a first value. Changes nothing when there is one already. */
  set(scope: SecretScope, name: string, value: string, atMs: number): Promise<{ readonly kind: 'exists' } | { readonly kind: 'set'; readonly version: number }>
  /** Replaces the value; the next `reveal` gives the new one, and the old one is kept nowhere. */
  rotate(
    scope: SecretScope,
    name: string,
    value: string,
    atMs: number,
  ): Promise<{ readonly kind: 'unknown' } | { readonly kind: 'rotated'; readonly version: number }>
  /** By tenant and name, shared ones first. Never a value. */
  list(): Promise<readonly SecretRecord[]>
  remove(scope: SecretScope, name: string): Promise<'unknown' | 'removed'>
  /**
   * The tenant's own value, otherwise the shared one.
   *
   * @throws Fault `not-done` when the value does not open: the record was altered, or the sealing key is another.
   */
  reveal(tenant: TenantName, name: string): Promise<string | undefined>
  /** The value that all tenants share, for what is no tenant's. @throws Fault as `reveal` */
  revealShared(name: string): Promise<string | undefined>
}
