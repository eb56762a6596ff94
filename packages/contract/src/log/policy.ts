import { parseDecimal, toHex } from './bytes.ts'
import { parseCosignerKey, type CosignerKey } from './cosignature.ts'
import type { Sha256 } from './log-crypto.ts'
import { parseVerifierKey, type VerifierKey } from './note.ts'

/** Which logs a verifier knows, and whose word it wants that a log shows everyone the same. */
export interface LogPolicy {
  readonly logs: readonly { readonly key: VerifierKey; readonly url?: string }[]
  readonly witnesses: readonly PolicyWitness[]
  readonly quorum: Quorum
}

export interface PolicyWitness {
  readonly kind: 'witness'
  /** As the policy calls it. */
  readonly name: string
  readonly key: CosignerKey
  readonly url?: string
}

export interface WitnessGroup {
  readonly kind: 'group'
  readonly name: string
  /** So many of the members must have cosigned. */
  readonly threshold: number
  readonly members: readonly (PolicyWitness | WitnessGroup)[]
}

export type Quorum = { readonly kind: 'none' } | PolicyWitness | WitnessGroup

export type ParsedPolicy =
  { readonly kind: 'refused'; readonly line: number; readonly reason: string } | { readonly kind: 'parsed'; readonly policy: LogPolicy }

/** The specification asks for at least 32 of each. */
export const policyLimits = { bytes: 262_144, logs: 256, witnesses: 256, groups: 256 } as const

/**
 * Reads a policy file; says what is wrong with the first line that is.
 *
 * Beyond the specification it refuses a last line without its newline, since the file may have been cut, a witness with the key of a log, which would vouch for
 * itself, and cosigner keys of other types than Ed25519.
 *
 * @see https://c2sp.org/tlog-policy
 */
export function parsePolicy(bytes: Uint8Array, sha256: Sha256): ParsedPolicy {
  if (bytes.length > policyLimits.bytes) return { kind: 'refused', line: 1, reason: `the file is larger than ${policyLimits.bytes} bytes` }
  const lines = linesOf(bytes)
  if (lines.pop() !== '') return { kind: 'refused', line: lines.length + 1, reason: 'the last line does not end: the file may have been cut' }
  const reading = new PolicyReading(sha256)
  for (const [at, line] of lines.entries()) {
    const reason = reading.take(line)
    if (reason !== undefined) return { kind: 'refused', line: at + 1, reason }
  }
  const { logs, witnesses, quorum } = reading
  if (!quorum) return { kind: 'refused', line: Math.max(1, lines.length), reason: 'the file has no quorum line' }
  return { kind: 'parsed', policy: { logs, witnesses, quorum } }
}

/** Whether the cosigners with these keys are enough. */
export function isQuorum(quorum: Quorum, cosigners: readonly CosignerKey[]): boolean {
  switch (quorum.kind) {
    case 'none':
      return true
    case 'witness':
      return cosigners.includes(quorum.key)
    case 'group':
      return quorum.members.filter((member) => isQuorum(member, cosigners)).length >= quorum.threshold
  }
}

/** The policy file of one log, of whose witnesses so many must cosign; `threshold` 0 demands none. */
export function policyText(log: string, witnesses: readonly string[], threshold: number): string {
  const names = witnesses.map((_, at) => `w${at + 1}`)
  const lines = [`log ${log}`, ...witnesses.map((vkey, at) => `witness ${names[at]} ${vkey}`)]
  if (threshold > 0) lines.push(`group witnesses ${threshold} ${names.join(' ')}`)
  return [...lines, `quorum ${threshold > 0 ? 'witnesses' : 'none'}`, ''].join('\n')
}

/** Octets as the characters of the same number: names are compared as octets, whatever they spell. */
function linesOf(bytes: Uint8Array): string[] {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text.split('\n')
}

class PolicyReading {
  readonly logs: LogPolicy['logs'][number][] = []
  readonly witnesses: PolicyWitness[] = []
  quorum: Quorum | undefined
  readonly #sha256: Sha256
  readonly #named = new Map<string, PolicyWitness | WitnessGroup>()
  readonly #members = new Set<string>()
  #groups = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Why the line is wrong, if it is. */
  take(line: string): string | undefined {
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(line)) return 'it holds a control character'
    const [word = '', ...items] = line.split(/[ \t]+/).filter((item) => item !== '')
    if (word === '' || word.startsWith('#')) return undefined
    switch (word) {
      case 'log':
        return this.#log(items)
      case 'witness':
        return this.#witness(items)
      case 'group':
        return this.#group(items)
      case 'quorum':
        return this.#setQuorum(items)
      default:
        return `a line begins with log, witness, group or quorum, not with ${shown(word)}`
    }
  }

  #log([vkey, url, ...more]: readonly string[]): string | undefined {
    if (vkey === undefined || more.length > 0) return 'it is written: log VKEY [URL]'
    if (this.logs.length >= policyLimits.logs) return `there are more than ${policyLimits.logs} logs`
    const key = parseVerifierKey(decoded(vkey) ?? '', this.#sha256)
    if (!key) return 'its key is no Ed25519 key of a log (name+id+key)'
    if (this.#isKnown(key)) return 'its key stands in the file already'
    this.logs.push({ key, ...(url !== undefined && { url: shown(url) }) })
    return undefined
  }

  #witness([name, vkey, url, ...more]: readonly string[]): string | undefined {
    if (name === undefined || vkey === undefined || more.length > 0) return 'it is written: witness NAME VKEY [URL]'
    if (this.witnesses.length >= policyLimits.witnesses) return `there are more than ${policyLimits.witnesses} witnesses`
    const taken = this.#objectionToName(name)
    if (taken !== undefined) return taken
    const key = parseCosignerKey(decoded(vkey) ?? '', this.#sha256)
    if (!key) return 'its key is no Ed25519 key of a cosigner (name+id+key, type 0x04)'
    if (this.#isKnown(key)) return 'its key stands in the file already: one key has one voice'
    const witness: PolicyWitness = { kind: 'witness', name, key, ...(url !== undefined && { url: shown(url) }) }
    this.witnesses.push(witness)
    this.#named.set(name, witness)
    return undefined
  }

  #group([name, count, ...names]: readonly string[]): string | undefined {
    if (name === undefined || count === undefined || names.length === 0) return 'it is written: group NAME all|any|COUNT MEMBER...'
    if (this.#groups >= policyLimits.groups) return `there are more than ${policyLimits.groups} groups`
    const taken = this.#objectionToName(name)
    if (taken !== undefined) return taken
    const members: (PolicyWitness | WitnessGroup)[] = []
    for (const member of names) {
      const found = this.#named.get(member)
      if (!found) return `${shown(member)} is not the name of a witness or group above this line`
      if (this.#members.has(member)) return `${shown(member)} is a member already: each is a member once`
      this.#members.add(member)
      members.push(found)
    }
    const threshold = count === 'all' ? members.length : count === 'any' ? 1 : (parseDecimal(count) ?? 0)
    if (threshold < 1 || threshold > members.length) return `its count is all, any, or a number from 1 to ${members.length}`
    this.#groups += 1
    this.#named.set(name, { kind: 'group', name, threshold, members })
    return undefined
  }

  #setQuorum([name, ...more]: readonly string[]): string | undefined {
    if (name === undefined || more.length > 0) return 'it is written: quorum NAME'
    if (this.quorum) return 'there is a quorum line already'
    this.quorum = name === 'none' ? { kind: 'none' } : this.#named.get(name)
    return this.quorum ? undefined : `${shown(name)} is not the name of a witness or group above this line`
  }

  #objectionToName(name: string): string | undefined {
    if (name === 'none') return 'none is no name: it stands for no quorum'
    return this.#named.has(name) ? `the name ${shown(name)} is taken` : undefined
  }

  #isKnown({ publicKey }: { readonly publicKey: Uint8Array }): boolean {
    const own = toHex(publicKey)
    return [...this.logs, ...this.witnesses].some(({ key }) => toHex(key.publicKey) === own)
  }
}

/** UTF-8 for a person, whatever the octets are. */
function shown(octets: string): string {
  return new TextDecoder().decode(bytesOf(octets))
}

function decoded(octets: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(octets))
  } catch {
    return undefined
  }
}

function bytesOf(octets: string): Uint8Array {
  return Uint8Array.from(octets, (unit) => unit.charCodeAt(0))
}
