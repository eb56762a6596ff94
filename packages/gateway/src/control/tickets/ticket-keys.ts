import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Fault, ticketAlgorithm, ticketJwk, ticketLimits, type TicketJwk } from '@sallyport/contract'
import { calculateJwkThumbprint } from 'jose'
import { z } from 'zod'

/** Where the keys that sign tickets are kept. Whoever reads them can make tickets, so they are sealed there. */
export interface KeptTicketKeys {
  /** Undefined before the first time. @throws Fault when they were altered, or others can read them */
  read(): Promise<string | undefined>
  /** Replaces them whole: after a crash there are the old ones or the new. Durable when it resolves. @throws Fault */
  keep(text: string): Promise<void>
}

export interface SigningKey {
  readonly jwk: TicketJwk
  readonly privateKey: KeyObject
  /** Infinite until it signs. */
  readonly signsFromSeconds: number
  /** Infinite until it is retired. */
  readonly signsUntilSeconds: number
}

/** One signs, one signs next, the others only wait until no ticket of theirs is alive. */
export const ticketKeysMax = 8
/** Around a rotation both keys count, whatever clock a ticket's times were taken from. */
export const rotationOverlapSeconds = 60

const stored = z.strictObject({
  version: z.literal(1),
  keys: z
    .array(
      z.strictObject({
        pkcs8: z.string().max(1024),
        signsFrom: z.int().min(0).nullable().meta({ description: 'Seconds since the epoch; null until it signs' }),
        signsUntil: z.int().min(0).nullable().meta({ description: 'Null until it is retired' }),
      }),
    )
    .min(2)
    .max(ticketKeysMax),
})

/** A key that no one has ever seen. */
export async function newTicketKey(): Promise<SigningKey> {
  return signingKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
}

/** A rotation of so many keys at such a time: the one that waited signs, the one that signed is retired, and a new one waits. */
export function rotated(keys: readonly SigningKey[], next: SigningKey, nowSeconds: number): readonly SigningKey[] {
  const moved = keys.map((key) => {
    if (isWaiting(key)) return { ...key, signsFromSeconds: nowSeconds - rotationOverlapSeconds }
    return isRetired(key) ? key : { ...key, signsUntilSeconds: nowSeconds + rotationOverlapSeconds }
  })
  return [...moved, next]
}

/** Without the keys that no living ticket can be signed with. */
export function withoutSpent(keys: readonly SigningKey[], nowSeconds: number): readonly SigningKey[] {
  return keys.filter(({ signsUntilSeconds }) => signsUntilSeconds + ticketLimits.lifetimeSecondsMax >= nowSeconds)
}

/** The key that signs. */
export function activeAmong(keys: readonly SigningKey[]): SigningKey {
  const active = keys.find((key) => !isWaiting(key) && !isRetired(key))
  if (!active) throw new TypeError('there is always a key that signs')
  return active
}

export function statusOf(key: SigningKey): 'next' | 'active' | 'retiring' {
  if (isWaiting(key)) return 'next'
  return isRetired(key) ? 'retiring' : 'active'
}

export function writeTicketKeys(keys: readonly SigningKey[]): string {
  const written: z.infer<typeof stored> = {
    version: 1,
    keys: keys.map(({ privateKey, signsFromSeconds, signsUntilSeconds }) => ({
      pkcs8: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
      signsFrom: finiteOrNull(signsFromSeconds),
      signsUntil: finiteOrNull(signsUntilSeconds),
    })),
  }
  return JSON.stringify(written)
}

/** @throws Fault for anything but what `writeTicketKeys` wrote, with one key that signs and one that waits */
export async function readTicketKeys(text: string): Promise<readonly SigningKey[]> {
  try {
    const { keys } = stored.parse(JSON.parse(text))
    const read = await Promise.all(
      keys.map(({ pkcs8, signsFrom, signsUntil }) =>
        signingKey(
          createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), type: 'pkcs8', format: 'der' }),
          signsFrom ?? Number.POSITIVE_INFINITY,
          signsUntil ?? Number.POSITIVE_INFINITY,
        ),
      ),
    )
    const statuses = read.map(statusOf)
    if (['next', 'active'].some((wanted) => statuses.filter((status) => status === wanted).length !== 1)) throw new TypeError('not one of each')
    return read
  } catch (error) {
    throw new Fault('the keys that sign tickets are damaged: delete ticket.keys, and the agents get new tickets', 'not-done', error)
  }
}

async function signingKey(privateKey: KeyObject, signsFromSeconds: number, signsUntilSeconds: number): Promise<SigningKey> {
  const { kty, crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' })
  const kid = await calculateJwkThumbprint({ kty: kty ?? '', crv: crv ?? '', x: x ?? '', y: y ?? '' })
  return { jwk: ticketJwk.parse({ kty, crv, x, y, kid, alg: ticketAlgorithm, use: 'sig' }), privateKey, signsFromSeconds, signsUntilSeconds }
}

function isWaiting({ signsFromSeconds }: SigningKey): boolean {
  return signsFromSeconds === Number.POSITIVE_INFINITY
}

function isRetired({ signsUntilSeconds }: SigningKey): boolean {
  return signsUntilSeconds !== Number.POSITIVE_INFINITY
}

function finiteOrNull(seconds: number): number | null {
  return Number.isFinite(seconds) ? seconds : null
}
