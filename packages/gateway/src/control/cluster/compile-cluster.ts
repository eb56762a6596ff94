import { durationMs, type ClusterConfiguration } from '@sallyport/contract'
import { classifyAddress, parseAddress } from '../../forward/address.ts'
import type { TlsFiles } from '../../forward/upstream-definition.ts'
import { clusterTrustMsDefault } from './follow-cluster.ts'

/** How the shared database is reached. */
export interface ClusterDefinition {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** Undefined: the server asks for none, or knows the gateway by its certificate. */
  readonly password: string | undefined
  /** Undefined: in the clear, on this host. */
  readonly tls: TlsFiles | undefined
  readonly connectionsMax: number
  readonly trustMs: number
}

export const clusterConnectionsDefault = 10

/** @returns what is wrong with the address, or what it says */
export function compileCluster(
  given: ClusterConfiguration,
  files: TlsFiles & { readonly password?: string },
): ClusterDefinition | { readonly objection: string } {
  const { password, ...tls } = files
  const url = URL.parse(given.database)
  const database = url?.pathname.slice(1) ?? ''
  if (!url || url.hostname === '' || url.username === '' || !/^[A-Za-z0-9_-]{1,63}$/.test(database))
    return { objection: 'expected postgres://USER@HOST:PORT/NAME' }
  if (url.password !== '') return { objection: 'a password does not belong into this file: name another one in cluster.passwordFile' }
  if (url.search !== '' || url.hash !== '') return { objection: 'the address has no parameters: use the fields of cluster' }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username),
    database,
    password,
    tls: given.tls || !isThisHost(host) ? tls : undefined,
    connectionsMax: given.connections ?? clusterConnectionsDefault,
    trustMs: given.trustFor === undefined ? clusterTrustMsDefault : durationMs(given.trustFor),
  }
}

function isThisHost(host: string): boolean {
  const address = parseAddress(host)
  return host === 'localhost' || (address !== undefined && classifyAddress(address) === 'loopback')
}
