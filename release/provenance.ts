import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto'

export interface Provenance {
  /** Where the sources are, such as `git+https://git.example.com/sallyport.git`. */
  readonly source: string
  readonly commit: string
  /** SHA-256 of the lockfile, in hexadecimal. */
  readonly lockfile: string
  /** Who ran the build: a URI that names the machine or service and whoever answers for it. */
  readonly builder: string
  readonly version: string
}

export interface Subject {
  readonly name: string
  readonly digest: { readonly sha256: string }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What was made, from what and by whom. Without times, so that a second build can be compared byte by byte. @see https://slsa.dev/provenance/v1 */
export function statementOf(subject: readonly Subject[], { source, commit, lockfile, builder, version }: Provenance): object {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:sallyport:release:1',
        externalParameters: { version },
        resolvedDependencies: [
          { uri: source, digest: { gitCommit: commit } },
          { uri: 'package-lock.json', digest: { sha256: lockfile } },
        ],
      },
      runDetails: { builder: { id: builder } },
    },
  }
}

const payloadType = 'application/vnd.in-toto+json'

/** A DSSE envelope with one Ed25519 signature; `keyid` is the SHA-256 of the public key as DER. @see https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md */
export function envelopeOf(statement: object, key: KeyObject): string {
  const payload = Buffer.from(JSON.stringify(statement))
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload])
  const keyid = sha256(createPublicKey(key).export({ type: 'spki', format: 'der' }))
  const signatures = [{ keyid, sig: sign(null, signed, key).toString('base64') }]
  return `${JSON.stringify({ payload: payload.toString('base64'), payloadType, signatures }, null, 2)}\n`
}
