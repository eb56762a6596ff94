import { refused, type AdminEvent, type Refused } from '@sallyport/contract'
import type { Resolver } from '../../forward/dial.ts'
import { InOrder } from '../in-order.ts'
import type { SecretStore } from '../secrets/secret-store.ts'
import type { ClientCredentials } from './client-credentials.ts'
import { ClientRegistration } from './client-registration.ts'
import { NotSent, openProviderHttp } from './provider-http.ts'
import type { Provider } from './provider.ts'
import type { Providers } from './providers.ts'
import { CredentialRotation, rotationMsMax, type OfferedCredential, type Rotation } from './rotate-credential.ts'

export interface RotationsTerms {
  readonly providers: Providers
  readonly credentials: ClientCredentials
  readonly secrets: Pick<SecretStore, 'revealShared' | 'rotate'>
  readonly resolver: Resolver
  readonly note: (act: Omit<AdminEvent, 'v' | 'time'>) => Promise<unknown>
  readonly random: (length: number) => Uint8Array
  readonly now: () => number
}

/** Rotates the credential at one provider, as far as it goes now. */
export type RotateCredential = (name: string, offered: OfferedCredential | undefined, person: string) => Promise<Rotation | Refused>

/** Rotations of credentials, one at a time. Each refuses `control.not-found` for a provider that is not configured, and as `CredentialRotation.advance`. */
export function openRotations(terms: RotationsTerms): RotateCredential {
  const inOrder = new InOrder()
  return async (name, offered, person) => {
    const provider = terms.providers.get(name)
    if (!provider) {
      const detail = `There is no identity provider ${name} in the configuration that runs.`
      return refused('control.not-found', detail, { detail })
    }
    return inOrder.run(async () => {
      try {
        return await rotationOf(provider, terms, person).advance(offered)
      } catch (error) {
        if (!(error instanceof NotSent)) throw error
        return refused('control.conflict', error.message, { detail: `There is nothing to rotate at ${name}: ${error.message}.` })
      }
    })
  }
}

function rotationOf(provider: Provider, { credentials, note, random, ...terms }: RotationsTerms, person: string): CredentialRotation {
  const { registration, clientId } = provider.definition
  const ports = {
    provider,
    credentials,
    note,
    newSecret: () => Buffer.from(random(32)).toString('base64url'),
    registration:
      registration &&
      new ClientRegistration({
        http: openProviderHttp(provider.definition, terms.resolver),
        url: registration.url,
        clientId,
        token: () => terms.secrets.revealShared(registration.token),
        keepToken: async (token) => {
          await terms.secrets.rotate({ kind: 'shared' }, registration.token, token, terms.now())
          await note({ type: 'admin', act: 'secret.rotated', person, subject: { name: registration.token, tenant: null } })
        },
      }),
  }
  return new CredentialRotation(ports, person, AbortSignal.timeout(rotationMsMax))
}
