import { createPrivateKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { OfferedCredential } from '../login/rotate-credential.ts'

const pem = z.string().max(24_576)

/** What a person brings to a rotation of the credential at an identity provider. */
export const offeredCredential: z.ZodType<OfferedCredential> = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('key-id'), keyId: z.string().regex(/^[\x21-\x7e]{1,256}$/) }),
  z.strictObject({ method: z.literal('secret'), secret: z.string().regex(/^[\x20-\x7e]{8,1024}$/, 'a secret has 8 to 1024 printable ASCII characters') }),
  z
    .strictObject({ method: z.literal('tls'), certificatePem: pem, keyPem: pem })
    .refine(({ certificatePem, keyPem }) => isPair(certificatePem, keyPem), 'not a PEM certificate with its private key'),
])

function isPair(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}
