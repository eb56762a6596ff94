import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

export interface CertificateRequest {
  /** PKCS #8 in PEM. Stays on this host. */
  readonly keyPem: string
  /** Proves possession of the key and asks for nothing: the gateway decides the name. */
  readonly csrPem: string
}

export async function makeCertificateRequest(): Promise<CertificateRequest> {
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const request = await Pkcs10CertificateRequestGenerator.create({ name: [], keys, signingAlgorithm })
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    keyPem: `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`,
    csrPem: `${request.toString('pem')}\n`,
  }
}
