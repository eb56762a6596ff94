import { equalBytes } from './bytes.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { LogCrypto } from './log-crypto.ts'
import { openSigned, openTrusted, type LogTrust, type TrustedCheckpoint } from './trust.ts'
import type { LogFault, LogReader } from './verify.ts'

/** A checkpoint of the same log that the newest one must continue, and in whose words a fault speaks of it. */
export interface EarlierCheckpoint extends Checkpoint {
  readonly what: 'an earlier checkpoint signed by the same key' | 'the checkpoint that its witnesses cosigned'
}

export type OpenedCheckpoints =
  | LogFault
  | {
      readonly kind: 'opened'
      readonly newest: Checkpoint
      /** Those that are smaller than the newest. */
      readonly kept: readonly EarlierCheckpoint[]
      /** The largest that is cosigned as a policy demands. */
      readonly cosigned?: Extract<TrustedCheckpoint, { readonly kind: 'opened' }>
    }

/** Opens what a log and a verifier's memory say of its state, and compares what can be compared without the entries. */
export async function openCheckpoints(reader: LogReader, trust: LogTrust, crypto: LogCrypto, earlier: readonly string[]): Promise<OpenedCheckpoints> {
  // In this order: the log may grow between the two.
  const cosignedText = 'publicKey' in trust ? undefined : await reader.cosigned?.()
  const text = await reader.checkpoint()
  if (text === undefined) return untrusted('the log has no checkpoint')
  const signed = openSigned(text, trust, crypto)
  if (signed.kind === 'refused') return untrusted(`the checkpoint cannot be trusted: ${signed.reason}`)
  const newest = signed.checkpoint
  const kept: EarlierCheckpoint[] = []
  for (const one of earlier) {
    const opened = openSigned(one, trust, crypto)
    if (opened.kind === 'refused') return untrusted(`the earlier checkpoint cannot be trusted: ${opened.reason}`)
    if (opened.checkpoint.origin !== newest.origin) return untrusted(`the earlier checkpoint is of another log, ${opened.checkpoint.origin}`)
    kept.push({ ...opened.checkpoint, what: 'an earlier checkpoint signed by the same key' })
  }
  if ('publicKey' in trust) return compared(newest, kept)

  const cosigned = openTrusted(cosignedText ?? text, trust, crypto)
  if (cosigned.kind === 'refused') return { kind: 'fault', check: 'quorum-missing', text: `the policy is not met: ${cosigned.reason}` }
  if (cosigned.checkpoint.origin !== newest.origin) return untrusted(`the cosigned checkpoint is of another log, ${cosigned.checkpoint.origin}`)
  const opened = compared(newest, [...kept, { ...cosigned.checkpoint, what: 'the checkpoint that its witnesses cosigned' }])
  return opened.kind === 'fault' ? opened : { ...opened, cosigned }
}

export function rewritten({ size, what }: EarlierCheckpoint): LogFault {
  const lastIndex = Math.max(0, size - 1)
  return {
    kind: 'fault',
    check: 'history-rewritten',
    index: 0,
    lastIndex,
    text: `the log was rewritten: its first ${size} entries (0 to ${lastIndex}) are not those of ${what}`,
  }
}

function compared(newest: Checkpoint, kept: readonly EarlierCheckpoint[]): OpenedCheckpoints {
  for (const one of kept) {
    if (one.size > newest.size) return rolledBack(newest, one)
    if (one.size === newest.size && !equalBytes(one.root, newest.root)) return rewritten(one)
  }
  return { kind: 'opened', newest, kept: kept.filter(({ size }) => size < newest.size) }
}

function rolledBack(newest: Checkpoint, { size, what }: EarlierCheckpoint): LogFault {
  const range = { index: newest.size, lastIndex: size - 1 }
  const told = `it has ${newest.size} entries, but ${what} covers ${size}; entries from ${newest.size} on are gone`
  return { kind: 'fault', check: 'rolled-back', ...range, text: `the log was rolled back: ${told}` }
}

function untrusted(text: string): LogFault {
  return { kind: 'fault', check: 'checkpoint-untrusted', text }
}
