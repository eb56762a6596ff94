import { refused, type AdminEvent, type Refused } from '@sallyport/contract'
import { objectionToSecret } from '../../forward/credentials.ts'
import { InOrder } from '../in-order.ts'
import type { SecretRecord, SecretScope, SecretStore } from './secret-store.ts'

export interface SecretRegisterPorts {
  readonly store: SecretStore
  /** Writes to the log, durably when it resolves. @throws Fault */
  readonly note: (act: Omit<AdminEvent, 'v' | 'time'>) => Promise<unknown>
  readonly now: () => number
}

const notes = { set: 'secret.set', rotate: 'secret.rotated', remove: 'secret.removed' } as const

/**
 * What an operator does with secrets. `by` names the person.
 *
 * One act at a time: first it is found out whether it can be done, then it is written to the log, then it is done. So the log states no act that was refused.
 */
export class SecretRegister {
  readonly #ports: SecretRegisterPorts
  readonly #inOrder = new InOrder()

  constructor(ports: SecretRegisterPorts) {
    this.#ports = ports
  }

  /**
   * `set` keeps a first value, `rotate` replaces one.
   *
   * Refuses `control.invalid-input` for what cannot be a credential, `control.conflict` for a first value where there is one, `control.not-found` where there is
   * none to replace.
   *
   * @throws Fault
   */
  async keep(
    verb: 'set' | 'rotate',
    scope: SecretScope,
    name: string,
    value: string,
    by: string,
  ): Promise<Refused | { readonly kind: 'set' | 'rotated'; readonly version: number }> {
    const objection = objectionToSecret(value)
    if (objection !== undefined) return refused('control.invalid-input', objection, { detail: `The value is ${objection}.` })
    return this.#inOrder.run(async () => {
      const isThere = await this.#has(scope, name)
      if (isThere && verb === 'set') return isThereAlready()
      if (!isThere && verb === 'rotate') return isNotThere()
      await this.#note(verb, scope, name, by)
      const { store, now } = this.#ports
      const kept = await store[verb](scope, name, value, now())
      if (kept.kind === 'exists') return isThereAlready()
      return kept.kind === 'unknown' ? isNotThere() : kept
    })
  }

  /** Refuses `control.not-found`. @throws Fault */
  remove(scope: SecretScope, name: string, by: string): Promise<Refused | { readonly kind: 'removed' }> {
    return this.#inOrder.run(async () => {
      if (!(await this.#has(scope, name))) return isNotThere('`secret list` shows those that are')
      await this.#note('remove', scope, name, by)
      await this.#ports.store.remove(scope, name)
      return { kind: 'removed' }
    })
  }

  list(): Promise<readonly SecretRecord[]> {
    return this.#ports.store.list()
  }

  async #has(scope: SecretScope, name: string): Promise<boolean> {
    const known = await this.list()
    return known.some((secret) => secret.name === name && tenantOf(secret.scope) === tenantOf(scope))
  }

  async #note(verb: keyof typeof notes, scope: SecretScope, name: string, by: string): Promise<void> {
    await this.#ports.note({ type: 'admin', act: notes[verb], person: by, subject: { name, tenant: tenantOf(scope) } })
  }
}

function tenantOf(scope: SecretScope): string | null {
  return scope.kind === 'shared' ? null : scope.tenant
}

function isThereAlready(): Refused {
  const detail = 'There is such a secret: use `secret rotate`.'
  return refused('control.conflict', detail, { detail })
}

function isNotThere(advice = 'use `secret set`'): Refused {
  const detail = `There is no such secret: ${advice}.`
  return refused('control.not-found', detail, { detail })
}
