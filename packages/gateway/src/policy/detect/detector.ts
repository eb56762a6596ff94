/** Told of each finding: from and up to which UTF-16 unit of the text. */
export type OnFound = (start: number, end: number) => void

export type DetectorGroup = 'personal' | 'secret'

/** Knows one kind of text that should not travel. */
export interface Detector {
  /** `group/kind`, as rules and the log write it. Stable once published. */
  readonly name: `${DetectorGroup}/${string}`
  readonly group: DetectorGroup
  /** A checksum of 30 bits or more is verified, so a finding is no accident. */
  readonly isSure: boolean
  /** Finds so much besides that its group leaves it out; it must be named. */
  readonly isByNameOnly: boolean
  /**
   * Finds all that begins at `from` or later; what stands before is only looked back upon, at most `contextMax` units.
   *
   * The work is linear in the text, whatever it says. No finding is longer than `findingMax`. Where more text may follow (`isWhole` false), what reaches the
   * end of the text may be told before it is certain.
   */
  readonly find: (text: string, from: number, isWhole: boolean, found: OnFound) => void
}

/** How far back from a finding anything is looked at, in UTF-16 units. */
export const contextMax = 64
/** The longest finding in one word, and the longest with white space in it, which only private keys have. */
export const wordFindingMax = 8192
export const findingMax = 16_384

export function detector(
  name: Detector['name'],
  find: Detector['find'],
  { isSure = false, isByNameOnly = false }: Partial<Pick<Detector, 'isSure' | 'isByNameOnly'>> = {},
): Detector {
  return { name, group: name.startsWith('secret/') ? 'secret' : 'personal', isSure, isByNameOnly, find }
}
