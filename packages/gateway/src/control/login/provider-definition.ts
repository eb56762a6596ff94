import { durationMs, type IdentityProviderConfiguration, type TenantName } from '@sallyport/contract'
import { classifyAddress, parseAddress, type AddressRules } from '../../forward/address.ts'
import { readAddressRules, type DefinitionFault, type TlsFiles } from '../../forward/upstream-definition.ts'
import { compileGlob, type Glob } from '../../policy/glob.ts'

/** How this gateway proves to a provider that it is the client. */
export type ClientProof =
  | { readonly method: 'private_key_jwt'; readonly keyPem: string; readonly keyId: string | undefined }
  | { readonly method: 'tls'; readonly keyPem: string; readonly certificatePem: string }
  /** The name under which the sealed store has it. */
  | { readonly method: 'secret'; readonly secret: string }

/** An identity provider as the configuration describes it, checked. */
export interface ProviderDefinition {
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  readonly proof: ClientProof
  readonly scopes: readonly string[]
  readonly tenants: readonly Glob[]
  /** Of the authorization request, beside those that the gateway sets. */
  readonly parameters: Readonly<Record<string, string>>
  readonly allowsDevice: boolean
  readonly caPem: string | undefined
  readonly addresses: AddressRules
  readonly connectMs: number
  readonly totalMs: number
}

const defaults = { connectMs: 5000, totalMs: 10_000, scopes: ['openid', 'offline_access'] } as const

export type CompiledProvider =
  | { readonly kind: 'invalid'; readonly faults: readonly DefinitionFault[] }
  | { readonly kind: 'compiled'; readonly definition: ProviderDefinition; readonly warnings: readonly string[] }

/** What the gateway sets itself, and a configuration must not. */
const ownParameters: ReadonlySet<string> = new Set([
  'client_id',
  'response_type',
  'response_mode',
  'redirect_uri',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
])

/** Checks and compiles one provider; paths of faults start below its own entry. */
export function compileProvider(name: string, given: IdentityProviderConfiguration, files: TlsFiles): CompiledProvider {
  const faults: DefinitionFault[] = []
  const addresses = readAddressRules(given.addresses, faults)
  const objection = objectionToUrl(given.issuer)
  if (objection !== undefined) faults.push({ path: ['issuer'], message: objection })
  if (/[?#]/.test(given.issuer)) faults.push({ path: ['issuer'], message: 'an issuer identifier has no query and no fragment' })
  const scopes = given.scopes ?? defaults.scopes
  if (!scopes.includes('openid'))
    faults.push({ path: ['scopes'], message: 'openid must be among the scopes: without it the provider does not say who logged in' })
  for (const parameter of Object.keys(given.parameters ?? {})) {
    if (ownParameters.has(parameter)) faults.push({ path: ['parameters', parameter], message: `the gateway sets ${parameter} itself` })
  }
  const proof = readProof(given, files, faults)
  if (faults.length > 0 || !proof) return { kind: 'invalid', faults }
  return {
    kind: 'compiled',
    warnings: proof.method === 'secret' ? [`${name}: a client secret can be copied; private_key_jwt or tls is better where the provider offers it`] : [],
    definition: {
      name,
      issuer: given.issuer,
      clientId: given.clientId,
      proof,
      scopes,
      tenants: globsOf(given.tenants ?? '*'),
      parameters: given.parameters ?? {},
      allowsDevice: given.device ?? false,
      caPem: files.ca,
      addresses,
      connectMs: given.deadlines?.connect === undefined ? defaults.connectMs : durationMs(given.deadlines.connect),
      totalMs: given.deadlines?.total === undefined ? defaults.totalMs : durationMs(given.deadlines.total),
    },
  }
}

export function isForTenant({ tenants }: ProviderDefinition, tenant: TenantName): boolean {
  return tenants.some((glob) => glob.matches(tenant))
}

function readProof({ authentication }: IdentityProviderConfiguration, { certificate, key }: TlsFiles, faults: DefinitionFault[]): ClientProof | undefined {
  const { method, keyId, secret } = authentication
  const missing = (field: string): undefined => void faults.push({ path: ['authentication'], message: `${method} needs ${field}` })
  switch (method) {
    case 'private_key_jwt':
      return key === undefined ? missing('key') : { method, keyPem: key, keyId }
    case 'tls':
      return key === undefined || certificate === undefined ? missing('key and certificate') : { method, keyPem: key, certificatePem: certificate }
    case 'secret':
      return secret === undefined ? missing('secret') : { method, secret }
  }
}

/** Why an address of a provider cannot be used: everything is encrypted, but for what stays on this host. */
export function objectionToUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return `${JSON.stringify(text.slice(0, 100))} is no web address`
  if (url.username !== '' || url.password !== '') return 'an address with a user name in it is not used'
  return url.protocol === 'https:' || isLoopback(url.hostname) ? undefined : `${url.origin} is not encrypted: http is for an address of this host alone`
}

function isLoopback(host: string): boolean {
  const address = parseAddress(host.replace(/^\[|\]$/g, ''))
  return address !== undefined && classifyAddress(address) === 'loopback'
}

function globsOf(given: string | readonly string[]): readonly Glob[] {
  return (typeof given === 'string' ? [given] : given).map(compileGlob)
}
