import type { RuntimeRecord } from '@sallyport/contract'
import { detectorsNamed } from '../../policy/detect/catalog.ts'
import type { Detector } from '../../policy/detect/detector.ts'
import { scan } from '../../policy/detect/scan.ts'
import { redactionOf } from '../../policy/results.ts'

/** A record as it is written: each fact that holds a secret says which kind instead. */
export interface WithheldRecord extends RuntimeRecord {
  /** How many; absent for none. */
  readonly redacted?: number
}

const secrets = detectorsNamed('secret') ?? []

/** Names of what is recorded cannot hold the signs of a redaction. */
const withheldName = 'withheld'

/**
 * What is in the log stays there, so no secret gets in: a fact in which a detector finds one, in its value or in its name, is withheld whole, and so is a kind. The
 * name is looked at with the value.
 */
export function withholdSecrets(record: RuntimeRecord): WithheldRecord {
  let redacted = 0
  const facts = Object.entries(record.facts).map(([name, value], at) => {
    const named = secretIn(name)
    const context = `${name}: `
    const found = named ?? secretIn(context + String(value), context.length)
    if (!found) return [name, value] as const
    redacted += 1
    return [named ? `${withheldName}${at}` : name, redactionOf(found)] as const
  })
  const isKind = secretIn(record.kind) !== undefined
  if (isKind) redacted += 1
  return redacted === 0 ? record : { ...record, ...(isKind && { kind: withheldName }), facts: Object.fromEntries(facts), redacted }
}

function secretIn(text: string, from = 0): Detector | undefined {
  return scan(text, from, true, secrets).findings[0]?.detector
}
