import type { SessionsConfiguration, TenantName } from '@sallyport/contract'
import type { ClientRules } from '../../access/access-snapshot.ts'
import type { AddressRules } from '../../forward/address.ts'
import { readAddressRules, type DefinitionFault, type TlsFiles } from '../../forward/upstream-definition.ts'
import { compileGlob, type Glob } from '../../policy/glob.ts'
import { isForTenant, type ProviderDefinition } from './provider-definition.ts'

/** Which programs may let their person log in, and how their documents are fetched. */
export interface ClientLoginDefinition extends ClientRules {
  readonly hosts: readonly Glob[]
  /** The name of the identity provider; undefined: the only one of the tenant. */
  readonly provider: string | undefined
  readonly caPem: string | undefined
  readonly addresses: AddressRules
}

/** Checks and compiles `sessions.clients`; paths of faults start below it. */
export function compileClientLogins(
  { clients = {}, listen, providers: named }: SessionsConfiguration,
  providers: readonly ProviderDefinition[],
  files: TlsFiles,
): { readonly definition: ClientLoginDefinition; readonly faults: readonly DefinitionFault[] } {
  const faults: DefinitionFault[] = []
  const { provider, hosts = '*' } = clients
  if (listen === 'off') faults.push({ path: [], message: 'programs send their person to the login pages, which are off', hint: 'say where sessions.listen is' })
  if (Object.keys(named).length === 0)
    faults.push({ path: [], message: 'nobody can log in without an identity provider', hint: 'add one to sessions.providers' })
  if (provider !== undefined && !Object.hasOwn(named, provider)) faults.push({ path: ['provider'], message: `there is no identity provider ${provider}` })
  const definition: ClientLoginDefinition = {
    hosts: (typeof hosts === 'string' ? [hosts] : hosts).map(compileGlob),
    provider,
    caPem: files.ca,
    addresses: readAddressRules(clients.addresses, faults),
    scopesFor: (tenant) => {
      const chosen = providerFor(providers, (each) => each, tenant, provider)
      // Those are between this gateway and the provider: no program gets an ID token, or a token that outlives its session.
      return chosen?.scopes.filter((scope) => scope !== 'openid' && scope !== 'offline_access')
    },
  }
  return { definition, faults }
}

/** The one identity provider at which people of this tenant log in for programs; undefined where there is none, or more than one. */
export function providerFor<Each>(
  all: readonly Each[],
  definitionOf: (each: Each) => ProviderDefinition,
  tenant: TenantName,
  name: string | undefined,
): Each | undefined {
  const [first, ...others] = all.filter((each) => {
    const definition = definitionOf(each)
    return isForTenant(definition, tenant) && (name === undefined || definition.name === name)
  })
  return others.length === 0 ? first : undefined
}

export function matchesAny(globs: readonly Glob[], text: string): boolean {
  return globs.some((glob) => glob.matches(text))
}
