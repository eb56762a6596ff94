import type { Resolver } from '../../forward/dial.ts'
import type { Pause } from '../sessions/deadline.ts'
import { ClientDocuments, documentBytesMax, documentMsMax } from './client-documents.ts'
import type { ClientLoginDefinition } from './client-login-definition.ts'
import { ClientLoginDesk, type ClientLoginDeskPorts } from './client-logins.ts'
import { DeviceLogins } from './device-logins.ts'
import { listenForLogins, type LoginListener, type LoginListenerTerms } from './listen-for-logins.ts'
import { Logins, type LoginsPorts } from './logins.ts'
import type { ProviderDefinition } from './provider-definition.ts'
import { openProviderHttp } from './provider-http.ts'
import type { ProviderPorts } from './provider-link.ts'
import { Provider } from './provider.ts'

/** Between two looks at logins that nobody finished. */
const sweepMs = 60_000

export interface OpenLoginsTerms extends Omit<LoginsPorts, 'publicUrl'>, Pick<LoginListenerTerms, 'address' | 'tls'> {
  /** Undefined: http at the address that is listened on. */
  readonly publicUrl: string | undefined
  readonly newId: () => string
  readonly pause: Pause
}

export interface OpenedLogins {
  readonly logins: Logins
  readonly devices: DeviceLogins
  /** How browsers reach the pages. */
  readonly publicUrl: string
  replaceTls: LoginListener['replaceTls']
  close(): Promise<void>
}

/** Providers of a configuration, each with connections of its own. */
export function openProviders(definitions: readonly ProviderDefinition[], ports: Omit<ProviderPorts, 'http'>, resolver: Resolver): readonly Provider[] {
  return definitions.map((definition) => new Provider(definition, { ...ports, http: openProviderHttp(definition, resolver) }))
}

export interface OpenClientLoginsTerms extends Omit<ClientLoginDeskPorts, 'documents' | 'logins' | 'definition'> {
  readonly definition: ClientLoginDefinition
  readonly logins: Logins
  readonly resolver: Resolver
}

/** Lets programs ask for logins on these pages. */
export function openClientLogins(terms: OpenClientLoginsTerms): { readonly desk: ClientLoginDesk; close(): Promise<void> } {
  const { definition, now, resolver } = terms
  const http = openProviderHttp({ ...definition, connectMs: documentMsMax, totalMs: documentMsMax }, resolver, documentBytesMax)
  const desk = new ClientLoginDesk({ ...terms, documents: new ClientDocuments({ http, definition, now }) })
  const sweeping = setInterval(() => void desk.sweep(), sweepMs).unref()
  return {
    desk,
    close: async () => {
      clearInterval(sweeping)
      await http.close()
      await desk.sweep(Number.POSITIVE_INFINITY)
    },
  }
}

/** Opens the pages on which people log in. @throws as `listen` of node:net */
export async function openLogins(terms: OpenLoginsTerms): Promise<OpenedLogins> {
  const { address, tls, report, now, newId, pause } = terms
  let publicUrl = terms.publicUrl?.replace(/\/$/, '') ?? ''
  const logins = new Logins({ ...terms, publicUrl: () => publicUrl })
  const devices = new DeviceLogins({ logins, now, newId, pause, report })
  const listener = await listenForLogins({ address, tls, publicUrl: () => publicUrl, logins, report })
  if (publicUrl === '') publicUrl = `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${listener.port}`
  const sweeping = setInterval(() => void logins.sweep(), sweepMs).unref()
  return {
    logins,
    devices,
    publicUrl,
    replaceTls: (next) => listener.replaceTls(next),
    close: async () => {
      clearInterval(sweeping)
      devices.close()
      await listener.close()
      await logins.sweep(Number.POSITIVE_INFINITY)
    },
  }
}
