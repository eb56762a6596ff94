import { durationMs, type AlertsConfiguration } from '@sallyport/contract'
import type { AddressRules } from '../../forward/address.ts'
import { readAddressRules, type DefinitionFault, type TlsFiles } from '../../forward/upstream-definition.ts'
import { objectionToUrl } from '../login/provider-definition.ts'

/** How much is odd. */
export interface SignalTerms {
  /** Refreshes in one window. */
  readonly refreshesPerAgent: number
  readonly refreshesPerTenant: number
  readonly providerSlowMs: number
}

/** Who is told. */
export interface WebhookDefinition {
  readonly url: string
  /** The name under which the sealed store has it. */
  readonly secret: string | undefined
  readonly perMinute: number
  readonly addresses: AddressRules
  readonly caPem: string | undefined
}

/** An agent with as many sessions as it can have, and tickets of five minutes, stays far below. */
const defaults = { refreshesPerAgent: 100, refreshesPerTenant: 1000, providerSlowMs: 5000, perMinute: 10 } as const

export function signalTerms({ refreshesPerAgent, refreshesPerTenant, providerSlow }: AlertsConfiguration = {}): SignalTerms {
  return {
    refreshesPerAgent: refreshesPerAgent ?? defaults.refreshesPerAgent,
    refreshesPerTenant: refreshesPerTenant ?? defaults.refreshesPerTenant,
    providerSlowMs: providerSlow === undefined ? defaults.providerSlowMs : durationMs(providerSlow),
  }
}

/** Paths of faults start below `alerts.webhook`. */
export function compileWebhook(
  given: NonNullable<AlertsConfiguration['webhook']>,
  { ca }: TlsFiles,
): { readonly definition: WebhookDefinition; readonly faults: readonly DefinitionFault[] } {
  const faults: DefinitionFault[] = []
  const addresses = readAddressRules(given.addresses, faults)
  const objection = objectionToUrl(given.url)
  if (objection !== undefined) faults.push({ path: ['url'], message: objection })
  const { url, secret, perMinute = defaults.perMinute } = given
  return { definition: { url, secret, perMinute, addresses, caPem: ca }, faults }
}
