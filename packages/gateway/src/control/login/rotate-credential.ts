import { refused, type AdminEvent, type Refused } from '@sallyport/contract'
import type { JWK } from 'jose'
import { credentialDigest, keyIdOf, newKeyLike, publicJwkOf, strangerLike, type ClientCredential, type ShownCredential } from './client-credential.ts'
import type { ClientCredentials } from './client-credentials.ts'
import type { ClientRegistration, Registered } from './client-registration.ts'
import type { Provider } from './provider.ts'
import { credentialWords, rotationSteps, type RotationStep, type RotationStepId } from './rotation-steps.ts'
import type { CredentialTrial } from './try-credential.ts'

/** For all that one run asks of a provider. */
export const rotationMsMax = 60_000

/** What a person brings: the new credential where the gateway cannot make it, or the name that the provider has given to the new key. */
export type OfferedCredential = ClientCredential | { readonly method: 'key-id'; readonly keyId: string }

export type Rotation =
  /** A step could not be done now: `reason` says why. Asking again goes on from there. */
  | {
      readonly kind: 'waiting'
      readonly provider: string
      readonly at: RotationStepId
      readonly reason: string
      readonly steps: readonly RotationStep[]
      /** To be registered at the provider. */
      readonly publicKey?: JWK
    }
  /** The provider takes the new credential and refuses the one before, which is forgotten here. */
  | { readonly kind: 'rotated'; readonly provider: string; readonly steps: readonly RotationStep[] }

export interface CredentialRotationPorts {
  readonly provider: Pick<Provider, 'definition' | 'attempt'>
  readonly credentials: ClientCredentials
  /** Undefined where the provider offers no RFC 7592. */
  readonly registration: ClientRegistration | undefined
  /** Writes to the log, durably when it resolves. @throws Fault */
  readonly note: (act: Omit<AdminEvent, 'v' | 'time'>) => Promise<unknown>
  readonly newSecret: () => string
}

/**
 * Replaces the credential by which a provider knows the gateway, without an interruption: the new one is proved before it counts, and the end is the proof that the
 * one before fails.
 *
 * With RFC 7592 and a key everything is done here; otherwise a person does what only the provider's own administration can, and each run finds out by asking the
 * provider whether that has happened. Where it stands is in the sealed record alone: a run that ends anywhere, by a crash too, is taken up by the next, and at every
 * moment the credential that counts is one that the provider takes.
 */
export class CredentialRotation {
  readonly #ports: CredentialRotationPorts
  readonly #person: string
  readonly #signal: AbortSignal

  constructor(ports: CredentialRotationPorts, person: string, signal: AbortSignal) {
    this.#ports = ports
    this.#person = person
    this.#signal = signal
  }

  /**
   * Begins a rotation or goes on with the one under way, as far as it goes now. One run at a time.
   *
   * Refuses `control.invalid-input` for an offer of another kind than the credential, and for the credential itself, `control.conflict` for an offer while the one before is still to be withdrawn.
   *
   * @throws NotSent when there is no credential to begin with, Fault
   */
  async advance(offered: OfferedCredential | undefined): Promise<Rotation | Refused> {
    const { credentials, provider } = this.#ports
    const { definition } = provider
    const standing = await credentials.standing(definition)
    if (!standing.old) {
      const next = await this.#prepare(standing.current, standing.next, offered)
      if ('kind' in next) return next
      const waiting = await this.#establish(next)
      if (waiting) return waiting
      await this.#note('provider-credential.switched', next, standing.current)
      await credentials.promote(definition, next)
    } else if (offered) {
      const detail = 'The rotation before has not ended: its old credential is still to be withdrawn.'
      return refused('control.conflict', detail, { detail })
    }
    const { current, old } = await credentials.standing(definition)
    return old ? this.#retire(current, old) : this.#rotated()
  }

  /** The successor, sealed. */
  async #prepare(
    current: ClientCredential,
    known: ClientCredential | undefined,
    offered: OfferedCredential | undefined,
  ): Promise<ClientCredential | Rotation | Refused> {
    const next = successorOf(current, known, offered)
    const what = credentialWords[current.method]
    if (next === 'wanted') return this.#waiting('prepare', `the new ${what} is to be given`)
    if (next === 'unfit') {
      const detail = `This gateway is known there by a ${what}: what was given is none that could replace it.`
      return refused('control.invalid-input', detail, { detail })
    }
    if (next === known) return next
    await this.#note('provider-credential.prepared', next, current)
    await this.#ports.credentials.prepare(this.#ports.provider.definition, next)
    return next
  }

  /** Until the provider takes the new one beside the one that counts. */
  async #establish(next: ClientCredential): Promise<Rotation | undefined> {
    const publicKey = await publicJwkOf(next)
    let trial = await this.#attempt(next)
    let registered: Registered | undefined
    if (trial.kind === 'refused' && publicKey && this.#registration) {
      await this.#note('provider-credential.registering', next)
      registered = await this.#registration.add(publicKey, this.#signal)
      trial = await this.#attempt(next)
    }
    if (trial.kind === 'unclear') return this.#waiting('prove-new', trial.reason, publicKey)
    if (trial.kind === 'refused') return this.#waiting('register', objectionIn(registered) ?? 'the provider does not take the new one yet', publicKey)
    // A provider that looks at the token first says the same to everyone: its yes would prove nothing, now and about the one before.
    const unknown = await this.#attempt(strangerLike(next, this.#ports.newSecret))
    return unknown.kind === 'refused' ? undefined : this.#waiting('prove-new', 'the provider does not refuse a credential that it cannot know', publicKey)
  }

  /** Until the provider refuses the one before, and that one alone. */
  async #retire(current: ClientCredential, old: ClientCredential): Promise<Rotation> {
    const publicKey = await publicJwkOf(old)
    let trial = await this.#attempt(old)
    let withdrawn: Registered | undefined
    if (trial.kind === 'accepted' && publicKey && this.#registration) {
      await this.#note('provider-credential.withdrawing', old)
      withdrawn = await this.#registration.withdraw(publicKey, this.#signal)
      trial = await this.#attempt(old)
    }
    if (trial.kind === 'unclear') return this.#waiting('prove-old-fails', trial.reason)
    if (trial.kind === 'accepted') return this.#waiting('withdraw', objectionIn(withdrawn) ?? 'the provider still takes the old one')
    // A provider that refuses everyone, or knows this client no more, has not refused the old credential.
    const taken = await this.#attempt(current)
    if (taken.kind !== 'accepted')
      return this.#waiting('prove-old-fails', 'the provider does not take the new one at this moment, so its no to the old one proves nothing')
    await this.#note('provider-credential.rotated', current, old)
    await this.#ports.credentials.forgetOld(this.#ports.provider.definition)
    return this.#rotated()
  }

  get #registration(): ClientRegistration | undefined {
    const { registration, provider } = this.#ports
    return provider.definition.proof.method === 'private_key_jwt' ? registration : undefined
  }

  #attempt(credential: ShownCredential): Promise<CredentialTrial> {
    return this.#ports.provider.attempt(credential, this.#signal)
  }

  /** Keys are told by their names, and nothing else of a credential stands in the log. */
  async #note(act: string, concerned: ClientCredential, before?: ClientCredential): Promise<void> {
    const { name } = this.#ports.provider.definition
    const names = { key: await nameInLog(concerned), ...(before && { before: await nameInLog(before) }) }
    await this.#ports.note({ type: 'admin', act, person: this.#person, subject: { provider: name, method: concerned.method, ...names } })
  }

  #waiting(at: RotationStepId, reason: string, publicKey?: JWK): Rotation {
    const { definition } = this.#ports.provider
    const steps = rotationSteps(definition, this.#registration !== undefined, at)
    return { kind: 'waiting', provider: definition.name, at, reason, steps, ...(publicKey && { publicKey }) }
  }

  #rotated(): Rotation {
    const { definition } = this.#ports.provider
    return { kind: 'rotated', provider: definition.name, steps: rotationSteps(definition, this.#registration !== undefined, undefined) }
  }
}

function successorOf(
  current: ClientCredential,
  known: ClientCredential | undefined,
  offered: OfferedCredential | undefined,
): ClientCredential | 'wanted' | 'unfit' {
  if (offered?.method === 'key-id') {
    if (current.method !== 'private_key_jwt') return 'unfit'
    return { method: current.method, keyPem: known?.method === current.method ? known.keyPem : newKeyLike(current.keyPem), keyId: offered.keyId }
  }
  if (offered) {
    const isFit = offered.method === current.method && current.method !== 'private_key_jwt' && credentialDigest(offered) !== credentialDigest(current)
    return isFit ? offered : 'unfit'
  }
  return known ?? (current.method === 'private_key_jwt' ? { method: current.method, keyPem: newKeyLike(current.keyPem) } : 'wanted')
}

async function nameInLog(credential: ClientCredential): Promise<string | null> {
  return credential.method === 'private_key_jwt' ? keyIdOf(credential) : null
}

function objectionIn(registered: Registered | undefined): string | undefined {
  return registered?.kind === 'not-done' ? `${registered.objection}; ask again, or do it at the provider by hand` : undefined
}
