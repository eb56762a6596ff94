import type { TenantName } from '@sallyport/contract'
import type { IdentityProvider, RefreshAnswer } from '../sessions/identity-provider.ts'
import { isForTenant } from './provider-definition.ts'
import type { Provider } from './provider.ts'

/** How a provider fared with one refresh. */
export interface ProviderSight {
  /** Its name in the configuration. */
  readonly provider: string
  /** As the answer is; of one that leaves open what was done, why. */
  readonly result: Exclude<RefreshAnswer['kind'], 'unknown'> | 'late' | 'broken-off' | 'odd-answer'
  readonly milliseconds: number
}

export interface ProvidersPorts {
  readonly see: (sight: ProviderSight) => void
  /** Milliseconds since some moment; never runs backwards. */
  readonly elapsedMs: () => number
}

/**
 * All identity providers as one. A token goes with the name of the provider that gave it, so that it can never be shown to another.
 */
export class Providers implements IdentityProvider {
  #byName: ReadonlyMap<string, Provider>

  readonly #ports: ProvidersPorts

  constructor(providers: Iterable<Provider>, ports: ProvidersPorts) {
    this.#byName = byName(providers)
    this.#ports = ports
  }

  /** Refreshes and logins that are under way go on with what they began with. */
  replace(providers: Iterable<Provider>): void {
    this.#byName = byName(providers)
  }

  get(name: string): Provider | undefined {
    return this.#byName.get(name)
  }

  all(): readonly Provider[] {
    return [...this.#byName.values()]
  }

  /** Where agents of this tenant may be logged in. */
  forTenant(tenant: TenantName): readonly Provider[] {
    return this.all().filter(({ definition }) => isForTenant(definition, tenant))
  }

  async refresh(token: string, signal: AbortSignal): Promise<RefreshAnswer> {
    const { name, refreshToken } = fromToken(token)
    const provider = this.#byName.get(name)
    if (!provider) return { kind: 'unsent', reason: `the identity provider ${name} is not configured any more` }
    const { see, elapsedMs } = this.#ports
    const startedAtMs = elapsedMs()
    const answer = await provider.refresh(refreshToken, signal)
    see({ provider: name, result: resultOf(answer, signal), milliseconds: elapsedMs() - startedAtMs })
    if (answer.kind !== 'refreshed' || answer.tokens.refreshToken === undefined) return answer
    return { kind: 'refreshed', tokens: { ...answer.tokens, refreshToken: withProvider(name, answer.tokens.refreshToken) } }
  }

  async revoke(token: string, signal: AbortSignal): Promise<boolean> {
    const { name, refreshToken } = fromToken(token)
    return (await this.#byName.get(name)?.revoke(refreshToken, signal)) ?? false
  }
}

function resultOf(answer: RefreshAnswer, { aborted: isLate }: AbortSignal): ProviderSight['result'] {
  return answer.kind === 'unknown' ? (isLate ? 'late' : (answer.how ?? 'broken-off')) : answer.kind
}

/** A refresh token as sessions keep it. */
export function withProvider(name: string, refreshToken: string): string {
  return `${name} ${refreshToken}`
}

function fromToken(token: string): { readonly name: string; readonly refreshToken: string } {
  const space = token.indexOf(' ')
  return { name: token.slice(0, space), refreshToken: token.slice(space + 1) }
}

function byName(providers: Iterable<Provider>): ReadonlyMap<string, Provider> {
  return new Map([...providers].map((provider) => [provider.definition.name, provider]))
}
