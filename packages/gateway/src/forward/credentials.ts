import { refused, type Refused, type TenantName } from '@sallyport/contract'
import { secretCharactersMin } from './echo-pattern.ts'

/** The sealed secrets, as far as forwarding needs them. */
export interface Credentials {
  /**
   * The value as it was last set: the tenant's own, otherwise the one shared by all tenants, otherwise undefined.
   *
   * @throws Fault `not-done` when the store cannot be read or the value does not open under the sealing key.
   */
  reveal(tenant: TenantName, secretName: string): Promise<string | undefined>
}

export interface CredentialRule {
  readonly secret: string
  /** In lower case. */
  readonly header: string
  /** Holds `{secret}`. */
  readonly format: string
}

/** What is added to a request, and what must not come back in its answer. */
export interface InjectedCredential {
  readonly header: readonly [name: string, value: string]
  readonly secret: string
}

export const secretCharactersMax = 8192

const placeholder = '{secret}'

/** Why a value cannot be a credential, without the value; undefined when it can. */
export function objectionToSecret(value: string): string | undefined {
  if (value.length < secretCharactersMin) return `shorter than ${secretCharactersMin} characters`
  if (value.length > secretCharactersMax) return `longer than ${secretCharactersMax} characters`
  // A line break would end the header and begin another: RFC 9110 section 5.5.
  if (/[^\x20-\x7e]/.test(value)) return 'not only printable ASCII'
  if (value !== value.trim()) return 'with white space around it'
  return undefined
}

/**
 * Makes the header that carries the credential.
 *
 * Refuses `forward.credential-missing` when it is not set or could not stand in a header. The value is in no message.
 */
export async function injectCredential(credentials: Credentials, rule: CredentialRule, tenant: TenantName): Promise<InjectedCredential | Refused> {
  const secret = await credentials.reveal(tenant, rule.secret)
  if (secret === undefined) return refused('forward.credential-missing', `secret ${rule.secret} is not set for tenant ${tenant} nor for all`)
  const objection = objectionToSecret(secret)
  if (objection !== undefined) return refused('forward.credential-missing', `secret ${rule.secret} is ${objection}`)
  return { header: [rule.header, rule.format.split(placeholder).join(secret)], secret }
}
