import type { Refused } from '@sallyport/contract'
import { makeCertificateRequest } from './certificate-request.ts'
import { addressOf, identityLock, keep, parseAnswer } from './enroll.ts'
import { underLock } from './folder-lock.ts'
import { loadIdentity, type HeldIdentity } from './identity-files.ts'
import { postJson } from './post-json.ts'

export interface Renewal {
  readonly directory: string
  /** If not the one that was written down at the enrolment. */
  readonly gatewayAddress?: string
}

/**
 * Exchanges the certificate for its successor over a new key, on the proof of the old one, and puts both in place.
 *
 * Of several processes that renew one folder at the same time one asks the gateway; the others wait and take over its result. After a Fault the old identity is in place
 * and holds as long as its certificate. Refuses as the gateway refuses.
 *
 * @throws Fault
 */
export async function renew({ directory, gatewayAddress }: Renewal): Promise<Refused | { readonly kind: 'renewed'; readonly held: HeldIdentity }> {
  const before = await loadIdentity(directory)
  return await underLock(directory, identityLock, async (assertHeld) => {
    const held = await loadIdentity(directory)
    if (held.certificatePem !== before.certificatePem) return { kind: 'renewed', held }
    const { gateway, bundlePem, certificatePem, keyPem } = held
    const address = gatewayAddress === undefined ? gateway : addressOf(gatewayAddress)
    const next = await makeCertificateRequest()
    const answered = await postJson(address, '/sallyport/v1/certificate', { csr: next.csrPem }, { rootsPem: bundlePem, own: { certificatePem, keyPem } })
    if (answered.kind === 'refused') return answered
    const answer = parseAnswer(answered.value)
    const written = gatewayAddress ?? `${gateway.host.includes(':') ? `[${gateway.host}]` : gateway.host}:${gateway.port}`
    assertHeld()
    return { kind: 'renewed', held: await keep(directory, { ...answer, gateway: written, keyPem: next.keyPem }) }
  })
}
