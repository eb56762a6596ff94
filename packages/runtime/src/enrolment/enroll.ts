import 'reflect-metadata'
import { SubjectAlternativeNameExtension, X509Certificate } from '@peculiar/x509'
import { Fault, certificateAnswer, parseEnrolmentToken, refused, type CertificateAnswer, type Json, type Refused } from '@sallyport/contract'
import { makeCertificateRequest } from './certificate-request.ts'
import { underLock } from './folder-lock.ts'
import { parseGatewayAddress, type GatewayAddress } from './gateway-address.ts'
import { parseIdentity, writeIdentity, type HeldIdentity, type NewIdentity } from './identity-files.ts'
import { makeFolder } from './make-folder.ts'
import { fetchPinnedRoot } from './pinned-root.ts'
import { postJson } from './post-json.ts'
import { formatAuthority } from '../link/authority.ts'

export interface Enrolment {
  /** Host and port of the enrolment listener. */
  readonly address: string
  readonly token: string
  readonly directory: string
  /** Where the agent will connect, if not where the gateway says. */
  readonly gatewayAddress?: string
}

/** Held by whoever replaces the identity of a folder. */
export const identityLock = 'identity'

/**
 * Exchanges a one-time token for a certificate over a key that is made here and never leaves, and writes both, replacing an identity that may be there.
 *
 * The token is sent only to a gateway that proves to hold a certificate under the root that the token names. Refuses as the gateway refuses.
 *
 * @throws Fault `not-done` when the gateway cannot be reached or is another one, or the address makes no sense; `unknown` when it did not answer properly: the
 * token may be used up.
 */
export async function enroll({
  address,
  token,
  directory,
  gatewayAddress,
}: Enrolment): Promise<Refused | { readonly kind: 'enrolled'; readonly held: HeldIdentity }> {
  const parsed = parseEnrolmentToken(token)
  if (!parsed) return refused('identity.enrolment-refused', 'the token is incomplete')
  const listener = addressOf(address)
  await makeFolder(directory) // before the token is used up
  const rootsPem = await fetchPinnedRoot(listener, parsed.root)
  const { keyPem, csrPem } = await makeCertificateRequest()
  const answered = await postJson(listener, '/enroll', { token, csr: csrPem }, { rootsPem })
  if (answered.kind === 'refused') return answered
  const answer = parseAnswer(answered.value)
  const gateway = gatewayAddress ?? (answer.gateway === undefined ? undefined : reachableFrom(answer.gateway, listener))
  if (gateway === undefined) throw new Fault('the gateway did not say where agents connect: give its address', 'unknown')
  addressOf(gateway)
  const held = await underLock(directory, identityLock, () => keep(directory, { ...answer, gateway, keyPem }))
  return { kind: 'enrolled', held }
}

/** A gateway that listens on every address of its host does not know by which of them it is reached: the one that has just worked. */
function reachableFrom(told: string, { host }: GatewayAddress): string {
  const address = parseGatewayAddress(told)
  return address && (address.host === '0.0.0.0' || address.host === '::') ? formatAuthority({ host, port: address.port }) : told
}

export function parseAnswer(value: Json): CertificateAnswer {
  const answer = certificateAnswer.safeParse(value)
  if (!answer.success) throw new Fault('the gateway answered with something that is no certificate', 'unknown')
  return answer.data
}

/** Checks that the parts belong together and puts them in place of the old ones. */
export async function keep(directory: string, { certificatePem, bundlePem, gateway, keyPem }: Omit<NewIdentity, 'id'>): Promise<HeldIdentity> {
  const names = new X509Certificate(certificatePem).getExtension(SubjectAlternativeNameExtension)?.names.items ?? []
  const identity = { id: names[0]?.value ?? '', gateway, keyPem, certificatePem, bundlePem }
  const held = parseIdentity(identity)
  await writeIdentity(directory, identity)
  return held
}

export function addressOf(text: string): GatewayAddress {
  const address = parseGatewayAddress(text)
  if (!address) throw new Fault(`${JSON.stringify(text)} is no address such as gateway.example.com:8444`, 'not-done')
  return address
}
