import { parseCheckpointBody, openCheckpoint, type Checkpoint, type OpenedCheckpoint } from './checkpoint.ts'
import { openCosignatures, type Cosignature } from './cosignature.ts'
import type { LogCrypto } from './log-crypto.ts'
import { parseNote, type VerifierKey } from './note.ts'
import { isQuorum, type LogPolicy } from './policy.ts'

/** What a verifier goes by: the key of one log, or a policy that also names witnesses. */
export type LogTrust = VerifierKey | LogPolicy

export type TrustedCheckpoint =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'opened'; readonly checkpoint: Checkpoint; readonly cosignatures: readonly Cosignature[] }

/** Verifies that the log signed a checkpoint, whoever else has seen it: enough to hold it against the log. */
export function openSigned(text: string, trust: LogTrust, crypto: LogCrypto): OpenedCheckpoint {
  if ('publicKey' in trust) return openCheckpoint(text, trust, crypto)
  const origin = parseCheckpointBody(parseNote(text)?.body ?? '')?.origin
  if (origin === undefined) return { kind: 'refused', reason: 'it is not a checkpoint' }
  const keys = trust.logs.flatMap(({ key }) => (key.name === origin ? [key] : []))
  if (keys.length === 0) return { kind: 'refused', reason: `the policy does not know the log ${origin}` }
  return openCheckpoint(text, keys, crypto)
}

/** Verifies that the log signed a checkpoint, and that it is cosigned as the policy demands. */
export function openTrusted(text: string, trust: LogTrust, crypto: LogCrypto): TrustedCheckpoint {
  const signed = openSigned(text, trust, crypto)
  const note = parseNote(text)
  if (signed.kind === 'refused' || !note) return signed.kind === 'refused' ? signed : { kind: 'refused', reason: 'it is not a signed note' }
  if ('publicKey' in trust) return { ...signed, cosignatures: [] }
  const cosigned = openCosignatures(
    note,
    trust.witnesses.map(({ key }) => key),
    crypto,
  )
  if (cosigned.kind === 'refused') return cosigned
  const cosigners = cosigned.cosignatures.map(({ key }) => key)
  if (isQuorum(trust.quorum, cosigners)) return { ...signed, cosignatures: cosigned.cosignatures }
  const seen = cosigners.length === 0 ? 'no witness of the policy has cosigned it' : `only ${cosigners.map(({ name }) => name).join(', ')} cosigned it`
  return { kind: 'refused', reason: `the quorum is not reached: ${seen}` }
}
