import { durationMs, type QuotaConfiguration } from '@sallyport/contract'
import { millionths } from '../access/llm/price.ts'
import { compileMatch, dimensions, matchesSubject, type Dimension, type Match, type Subject } from './match.ts'

/** What a quota can limit. Requests are counted as they are permitted; tokens and cost are reserved then, and settled when the use is known. */
export const units = ['requests', 'tokens', 'cost'] as const
export type Unit = (typeof units)[number]

/** One leaky bucket of a quota. */
export interface Limit {
  readonly unit: Unit
  /** What one request, one token or one millionth of the currency adds to a level, in units of which `drainPerMs` leak away each millisecond. */
  readonly weight: number
  readonly drainPerMs: number
  readonly capacity: number
}

/** A quota, ready to be charged. */
export interface Quota {
  readonly id: string
  /** Absent: it counts everything that leaves the gateway, the bookkeeping of protocols included. */
  readonly match: Match | undefined
  readonly per: readonly Dimension[]
  readonly limits: readonly Limit[]
}

/** Levels are whole numbers below this, so that no sum is ever rounded. */
export const exactMax = Number.MAX_SAFE_INTEGER / 4

export interface QuotaFault {
  readonly kind: 'invalid'
  readonly field: Unit | 'burst'
  readonly message: string
  readonly hint: string
}

/** Refuses, with a sentence, a quota that limits nothing, or whose numbers are too fine to be counted exactly. */
export function compileQuota(configuration: QuotaConfiguration): QuotaFault | { readonly kind: 'compiled'; readonly quota: Quota } {
  const { id, match, per, requests, tokens, cost, burst, window } = configuration
  if (requests === undefined && burst !== undefined)
    return { kind: 'invalid', field: 'burst', message: 'burst says how many requests may come at once, and requests are not limited', hint: 'add requests' }
  const amounts = { requests, tokens, cost: cost === undefined ? undefined : millionths(cost) }
  const limits: Limit[] = []
  for (const unit of units) {
    const amount = amounts[unit]
    if (amount === undefined) continue
    const limit = compileLimit(unit, amount, durationMs(window), unit === 'requests' ? (burst ?? amount) : amount)
    if (!limit)
      return {
        kind: 'invalid',
        field: unit,
        message: `${configuration[unit]} ${unit} in ${window} are too fine to be counted exactly`,
        hint: 'use rounder numbers',
      }
    limits.push(limit)
  }
  if (limits.length === 0) return { kind: 'invalid', field: 'requests', message: 'the quota limits nothing', hint: 'add requests, tokens or cost' }
  // Always per tenant: names of agents are unique only there, and no tenant's use may take from another's.
  const counted = dimensions.filter((dimension) => dimension === 'tenant' || per.includes(dimension))
  return { kind: 'compiled', quota: { id, match: match && compileMatch(match), per: counted, limits } }
}

/** Of each agent, in a minute and at once: what it asks of the gateway itself is in the log like everything else, and no rule and no other quota is about it. */
export const ownCallsMax = 120
export const ownCallsAtOnceMax = 240

export const ownQuota = builtinQuota()

function builtinQuota(): Quota {
  const compiled = compileQuota({ id: 'builtin/own', per: ['agent'], requests: ownCallsMax, burst: ownCallsAtOnceMax, window: '1m' })
  if (compiled.kind === 'invalid') throw new TypeError(compiled.message)
  return compiled.quota
}

export function countsSubject(quota: Quota, subject: Subject, standing: 'call' | 'protocol'): boolean {
  return quota.match ? standing === 'call' && matchesSubject(quota.match, subject) : true
}

function compileLimit(unit: Unit, amount: number, windowMs: number, atOnce: number): Limit | undefined {
  const divisor = greatestCommonDivisor(amount, windowMs)
  const weight = windowMs / divisor
  const drainPerMs = amount / divisor
  const capacity = atOnce * weight
  return capacity > exactMax || weight + drainPerMs > exactMax ? undefined : { unit, weight, drainPerMs, capacity }
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other)
}
