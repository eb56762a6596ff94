import { createHash } from 'node:crypto'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { Connection } from './inbound.ts'

/** Longer chains are cut here: their root is then not among the issuers, and identity refuses. */
const chainLengthMax = 8

/** What the handshake proved about the other end. Without a client certificate `certificate` and `issuers` are empty. */
export function peerOf(socket: TLSSocket): Connection {
  const remoteAddress = socket.remoteAddress ?? ''
  const leaf = socket.getPeerX509Certificate()
  if (!leaf) return { certificate: new Uint8Array(0), issuers: [], remoteAddress }
  return { certificate: leaf.raw, issuers: issuersOf(socket.getPeerCertificate(true)), remoteAddress }
}

function issuersOf(leaf: DetailedPeerCertificate): string[] {
  const issuers: string[] = []
  let current = leaf
  while (issuers.length < chainLengthMax) {
    const issuer: DetailedPeerCertificate | undefined = current.issuerCertificate
    if (!issuer || issuer === current) break // a root is its own issuer
    issuers.push(createHash('sha256').update(issuer.raw).digest('base64url'))
    current = issuer
  }
  return issuers
}
