import type { RuntimeRecord } from '@sallyport/contract'
import { detectorsNamed } from '../../policy/detect/catalog.ts'
import { scan } from '../../policy/detect/scan.ts'
import { redactionOf } from '../../policy/results.ts'

/** A record as it is written: each fact that holds a secret says which kind instead. */
export interface WithheldRecord extends RuntimeRecord {
  /** How many; absent for none. */
  readonly redacted?: number
}

const secrets = detectorsNamed('secret') ?? []

/** What is in the log stays there, so no secret gets in: a fact in which a detector finds one is withheld whole. Its name is looked at with it. */
export function withholdSecrets(record: RuntimeRecord): WithheldRecord {
  let redacted = 0
  const facts = Object.entries(record.facts).map(([name, value]) => {
    const context = `${name}: `
    const [found] = scan(context + String(value), context.length, true, secrets).findings
    if (!found) return [name, value] as const
    redacted += 1
    return [name, redactionOf(found.detector)] as const
  })
  return redacted === 0 ? record : { ...record, facts: Object.fromEntries(facts), redacted }
}
