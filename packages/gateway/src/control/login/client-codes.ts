import type { Thumbprint } from '@sallyport/contract'
import type { SessionId } from '../sessions/session.ts'
import { digestOf } from './login-secrets.ts'
import type { LoginRequest } from './logins.ts'
import type { LoggedIn } from './provider.ts'

/** From the person's yes to the program's call. @see RFC 6749 section 4.1.2 */
export const codeMsMax = 60_000
/** So long a used code is known, so that a second use ends what the first has got. */
export const codeKnownMs = 600_000
/** Codes that are known, used ones too. */
export const codesMax = 512

/** What a code stands for. */
export interface Granted {
  readonly request: LoginRequest
  readonly loggedIn: LoggedIn
  /** Of the certificate with which it was asked for. */
  readonly certificate: Thumbprint
  readonly client: string
  readonly redirectUri: string
  /** S256 of the verifier. */
  readonly challenge: string
  readonly resource: string
}

export interface Code extends Granted {
  readonly endsAt: number
  /** Undefined until it is used; then the session that it gave, if it has given one yet. */
  used: { session: SessionId | undefined; isShownAgain: boolean } | undefined
}

/** Authorization codes, kept by their digests. What is in one's hands here is worth nothing without the certificate and the verifier. */
export class ClientCodes {
  readonly #now: () => number
  readonly #byDigest = new Map<string, Code>()

  constructor(now: () => number) {
    this.#now = now
  }

  keep(code: string, granted: Granted): void {
    this.#byDigest.set(digestOf(code), { ...granted, endsAt: this.#now() + codeMsMax, used: undefined })
    for (const [digest, { used }] of this.#byDigest) {
      if (this.#byDigest.size <= codesMax) break
      if (used) this.#byDigest.delete(digest)
    }
  }

  get isFull(): boolean {
    return [...this.#byDigest.values()].filter(({ used }) => !used).length >= codesMax
  }

  find(code: string): Code | undefined {
    return this.#byDigest.get(digestOf(code))
  }

  isOver({ endsAt }: Code, until = this.#now()): boolean {
    return endsAt <= until
  }

  /** Forgets what is over, and says what nobody has taken. */
  sweep(until = this.#now()): readonly Granted[] {
    const over = [...this.#byDigest].filter(([, code]) => this.isOver(code, code.used ? until - codeKnownMs : until))
    for (const [digest] of over) this.#byDigest.delete(digest)
    return over.flatMap(([, code]) => (code.used ? [] : [code]))
  }
}
