import { createHash, createHmac, type KeyObject } from 'node:crypto'
import { canonicalJson, Fault, type DecisionEvent, type JsonObject } from '@sallyport/contract'
import type { AccessRequest } from '../access/access-request.ts'
import { besideArguments } from '../policy/exact-call.ts'
import { redactJson } from '../policy/redact/redact-json.ts'
import type { Redacting } from '../policy/redact/redact-text.ts'

/** What an entry says of the arguments that were kept. */
export type CitedPayload = NonNullable<DecisionEvent['payload']>

/** Arguments as they are kept: nothing in here can be read without the gateway's own key. */
export interface SealedPayload {
  readonly cited: CitedPayload
  readonly tenant: string
  readonly agent: string
  /** Milliseconds since the epoch. */
  readonly capturedAt: number
  /** The sealed key, always of the same length, and behind it the ciphertext. */
  readonly bytes: Uint8Array
}

/** Where sealed arguments are kept. */
export interface Payloads {
  /** Durable when it resolves as kept; full: nothing was kept. @throws Fault */
  keep(payload: SealedPayload): Promise<'kept' | 'full'>
  /** No entry names it: it is destroyed. @throws Fault */
  drop(digest: string): Promise<void>
}

/** What is known of a payload from its entry: it opens for this one alone. */
export interface PayloadEntry {
  readonly request: string
  readonly digest: string
}

/** Seals texts under one key, each bound to what it is, so that none can stand in another's place. */
export interface TextSeal {
  seal(boundTo: string, text: string): Uint8Array
  /** @throws Fault when it was altered, belongs elsewhere, or the key is another */
  open(boundTo: string, sealed: Uint8Array): string
}

export interface PayloadSealPorts {
  /** Under the gateway's own key: what seals the keys of payloads. */
  readonly keys: TextSeal
  readonly under: (key: Uint8Array) => TextSeal
  readonly digestKey: KeyObject
  readonly random: (length: number) => Uint8Array
}

const keyBytes = 32
/** A nonce of 12 bytes, 43 characters of base64url, a tag of 16 bytes. */
export const sealedKeyBytes = 71
/** The length of a text would tell a short one: each is made so many bytes long, or a multiple. */
const stepBytes = 256

/** The arguments of a call without what is found in them; undefined for a call that has none. */
export function payloadOf({ upstream, action, resource, args, call }: AccessRequest, redacting: Redacting): JsonObject | undefined {
  if (args === undefined) return undefined
  const beside = besideArguments(call, args)
  return {
    upstream,
    action: redacted(action, redacting),
    resource: redacted(resource, redacting),
    arguments: redactJson(args, redacting),
    ...(beside && { beside: redactJson(beside, redacting) }),
  }
}

function redacted(text: string, redacting: Redacting): string {
  const value = redactJson(text, redacting)
  return typeof value === 'string' ? value : text
}

export class PayloadSeal {
  readonly #ports: PayloadSealPorts

  constructor(ports: PayloadSealPorts) {
    this.#ports = ports
  }

  /** Keyed, because arguments can often be guessed; equal for equal arguments of one tenant. @see RFC 2104, RFC 8785 */
  digest(tenant: string, payload: JsonObject): CitedPayload {
    const digest = createHmac('sha256', this.#ports.digestKey).update(canonicalJson({ tenant, payload })).digest('base64url')
    return { capture: 'digest', digest }
  }

  /** Under a fresh key, which is sealed in turn; both are bound to the request. */
  seal({ id, principal }: Pick<AccessRequest, 'id' | 'principal'>, payload: JsonObject, capturedAt: number): SealedPayload {
    const { keys, under, random } = this.#ports
    const key = random(keyBytes)
    const text = Buffer.from(canonicalJson(payload))
    const padded = `${text.toString('utf8')}${' '.repeat((stepBytes - (text.length % stepBytes)) % stepBytes)}`
    const ciphertext = under(key).seal(boundTo(id), padded)
    const digest = digestOf(ciphertext)
    const sealedKey = keys.seal(keyBoundTo({ request: id, digest }), Buffer.from(key).toString('base64url'))
    if (sealedKey.length !== sealedKeyBytes) throw new TypeError('a sealed key has one length')
    return {
      cited: { capture: 'sealed', digest, bytes: ciphertext.length },
      tenant: principal.tenant,
      agent: principal.agent,
      capturedAt,
      bytes: Buffer.concat([sealedKey, ciphertext]),
    }
  }

  /** @throws Fault when it is not what this entry cites */
  open(entry: PayloadEntry, bytes: Uint8Array): string {
    const { keys, under } = this.#ports
    const ciphertext = bytes.subarray(sealedKeyBytes)
    if (digestOf(ciphertext) !== entry.digest) throw new Fault('what is kept of the arguments is not what the log cites: it was altered', 'not-done')
    const key = Buffer.from(keys.open(keyBoundTo(entry), bytes.subarray(0, sealedKeyBytes)), 'base64url')
    return under(key).open(boundTo(entry.request), ciphertext).trimEnd()
  }
}

/** Of the ciphertext alone: the key is no part of what the log proves. */
function digestOf(ciphertext: Uint8Array): string {
  return createHash('sha256').update(ciphertext).digest('base64url')
}

function boundTo(request: string): string {
  return `payload|${request}`
}

function keyBoundTo({ request, digest }: PayloadEntry): string {
  return `payload-key|${request}|${digest}`
}
