import { isIP } from 'node:net'
import { Pool } from 'undici'
import type { GatewayAddress, HeldIdentity } from '../enrolment/index.ts'
import { formatAuthority } from './authority.ts'

const connectMsMax = 10_000
/** Below the idle limit of any gateway, so that a request is rarely put on a connection that the gateway is closing. */
const keepAliveMs = 4_000
const answerHeadBytesMax = 65_536

/**
 * Connections to one gateway that show one certificate.
 *
 * TLS 1.3 only; the gateway's certificate must chain to the identity's own bundle (the system's roots do not count) and carry the host's name or address. No session
 * is resumed, no protocol but HTTP/1.1 offered, no redirect followed.
 */
export function openPool(gateway: GatewayAddress, identity: HeldIdentity, connectionsMax: number): Pool {
  return new Pool(`https://${formatAuthority(gateway)}`, {
    connections: connectionsMax,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: answerHeadBytesMax,
    connect: {
      ca: identity.bundlePem,
      cert: identity.certificatePem,
      key: identity.keyPem,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      rejectUnauthorized: true,
      maxCachedSessions: 0,
      timeout: connectMsMax,
      ...(isIP(gateway.host) === 0 && { servername: gateway.host }),
    },
  })
}
