import * as oauth from 'oauth4webapi'
import { proofOf, type ClientCredential, type ShownCredential } from './client-credential.ts'
import type { ProviderDefinition } from './provider-definition.ts'
import type { ClientCertificate, ProviderHttp } from './provider-http.ts'
import { ProviderMetadata } from './provider-metadata.ts'

export interface ProviderPorts {
  readonly http: ProviderHttp
  /** As it is now: a rotated one counts from the next request on. @throws NotSent when there is none, Fault */
  readonly credential: (definition: ProviderDefinition) => Promise<ClientCredential>
  readonly now: () => number
}

/** All that one request to a provider needs. */
export interface PreparedRequest {
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly proof: oauth.ClientAuth
  readonly options: RequestOptions
}

interface RequestOptions {
  readonly signal?: AbortSignal
  readonly [oauth.customFetch]: (url: string, request: Parameters<ProviderHttp['fetch']>[1]) => Promise<Response>
  readonly [oauth.allowInsecureRequests]: true
  readonly [oauth.jwksCache]: oauth.JWKSCacheInput
}

/** What the gateway knows of one provider, and how it asks there. */
export class ProviderLink {
  readonly definition: ProviderDefinition
  readonly metadata: ProviderMetadata
  readonly #ports: ProviderPorts
  /** The provider's keys, whenever its metadata were read. */
  readonly #keys: oauth.JWKSCacheInput = {}

  constructor(definition: ProviderDefinition, ports: ProviderPorts) {
    this.definition = definition
    this.#ports = ports
    this.metadata = new ProviderMetadata(definition.issuer, ports.now, () => this.#options())
  }

  /** `other`: to try a credential that does not count. @throws NotSent, Fault */
  async prepare(signal: AbortSignal, other?: ShownCredential): Promise<PreparedRequest> {
    const server = await this.metadata.read(signal)
    const credential = other ?? (await this.#ports.credential(this.definition))
    return {
      server,
      client: { client_id: this.definition.clientId, use_mtls_endpoint_aliases: credential.method === 'tls' || credential.method === 'no-certificate' },
      proof: await proofOf(credential, server),
      options: this.#options(signal, credential),
    }
  }

  close(): Promise<void> {
    return this.#ports.http.close()
  }

  /** Metadata are read with the certificate that counts: a whole provider may stand behind mutual TLS. */
  async #shown(credential: ShownCredential | undefined): Promise<ClientCertificate | undefined> {
    if (this.definition.proof.method !== 'tls') return undefined
    const shown = credential ?? (await this.#ports.credential(this.definition))
    return shown.method === 'tls' ? shown : undefined
  }

  #options(signal?: AbortSignal, credential?: ShownCredential): RequestOptions {
    const { http } = this.#ports
    return {
      ...(signal && { signal }),
      [oauth.customFetch]: async (url, request) => http.fetch(url, request, await this.#shown(credential)),
      // What is not encrypted is refused where it is sent, unless it stays on this host.
      [oauth.allowInsecureRequests]: true,
      [oauth.jwksCache]: this.#keys,
    }
  }
}
