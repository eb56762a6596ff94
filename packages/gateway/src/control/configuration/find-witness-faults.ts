import type { Configuration } from '@sallyport/contract'
import { parseCosignerKey, toHex } from '@sallyport/contract/log'
import { nodeLogCrypto } from '../../audit/log-key.ts'
import type { FaultAt } from './read-configuration.ts'

/** Witnesses whose keys are none, or that are one and the same, and a quorum that they can never reach. */
export function findWitnessFaults({ log }: Configuration): readonly FaultAt[] {
  const witnesses = log?.witnesses ?? []
  const faults: FaultAt[] = []
  const seen = new Map<string, number>()
  for (const [at, { vkey }] of witnesses.entries()) {
    const where = ['log', 'witnesses', at, 'vkey']
    const key = parseCosignerKey(vkey, nodeLogCrypto.sha256)
    const first = key && seen.get(toHex(key.publicKey))
    if (!key) faults.push({ where, message: 'it is not the key of a witness', hint: 'sallyport witness status prints it: NAME+ID+KEY, of type 0x04' })
    else if (first !== undefined) faults.push({ where, message: `it has the key of witnesses[${first}]: one key has one voice, whatever its names` })
    else seen.set(toHex(key.publicKey), at)
  }
  if (log?.quorum !== undefined && log.quorum > witnesses.length) {
    faults.push({ where: ['log', 'quorum'], message: `there are only ${witnesses.length} witnesses`, hint: 'ask for as many of them as may be needed' })
  }
  return faults
}
