import { z } from 'zod'
import { parseThumbprint, type Thumbprint } from './names.ts'

/**
 * What an operator hands to a new agent: `sp1.<secret>.<root>`.
 *
 * `secret` is 256 random bits in base64url and works once. `root` is the SHA-256 of the root certificate that the gateway's own certificate chains to: the agent
 * checks it before it sends anything, so that nobody in between can collect the secret.
 */
export interface EnrolmentToken {
  readonly secret: string
  readonly root: Thumbprint
}

const enrolmentToken = /^sp1\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/

export function parseEnrolmentToken(text: string): EnrolmentToken | undefined {
  const [, secret, rootText] = enrolmentToken.exec(text) ?? []
  const root = parseThumbprint(rootText ?? '')
  return secret !== undefined && root ? { secret, root } : undefined
}

export function formatEnrolmentToken({ secret, root }: EnrolmentToken): string {
  return `sp1.${secret}.${root}`
}

/** `POST /enroll` on the enrolment listener. */
export const enrolmentRequest = z.strictObject({
  token: z.string().max(128),
  csr: z.string().max(4096).meta({ description: 'PKCS #10 in PEM over a P-256 key; only its public key is used' }),
})

/** What comes back from an enrolment, and from a renewal at `POST /sallyport/v1/certificate`. */
export const certificateAnswer = z.strictObject({
  certificatePem: z.string().max(16_384),
  bundlePem: z.string().max(65_536).meta({ description: 'Every root that the agent must trust from now on' }),
  notAfter: z.iso.datetime({ precision: 3 }),
  gateway: z.string().max(300).optional().meta({ description: 'Host and port where agents connect; in answers to an enrolment' }),
})

export type CertificateAnswer = z.infer<typeof certificateAnswer>
