import { createHash } from 'node:crypto'

/** One payload that is kept, as far as its name tells. */
export interface StoredPayload {
  /** Of the ciphertext, as its entry cites it. */
  readonly digest: string
  /** Milliseconds since the epoch. */
  readonly capturedAt: number
  readonly bytes: number
  /** Stand for the tenant and for its agent: names of agents can be longer than those of files in archives. */
  readonly tenant: string
  readonly agent: string
}

/** One that could not be destroyed. */
export interface LeftPayload {
  readonly payload: StoredPayload
  readonly reason: string
}

/** The files of kept payloads, of one process at a time. Every verb throws Fault. */
export interface PayloadFiles {
  /** Every payload that is there whole; what a crash has left of others is removed. */
  list(): Promise<readonly StoredPayload[]>
  /** Whole and durable when it resolves; after a crash or a Fault there is all of it or nothing that `list` gives. */
  write(payload: StoredPayload, bytes: Uint8Array): Promise<void>
  /** Undefined when there is no such file. */
  read(payload: StoredPayload): Promise<Uint8Array | undefined>
  /**
   * The bytes of each are overwritten on the disk before its name goes; durable when it resolves, for all but those that are given back: one that fails keeps no
   * other. What is not there is destroyed already.
   */
  destroy(payloads: readonly StoredPayload[]): Promise<readonly LeftPayload[]>
}

export function tenantMark(tenant: string): string {
  return markOf(tenant)
}

export function agentMark(tenant: string, agent: string): string {
  return markOf(`${tenant}/${agent}`)
}

const markDigits = 10

function markOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, markDigits)
}

const fileName = /^([0-9]{13})-([A-Za-z0-9_-]{43})-([0-9a-f]{10})([0-9a-f]{10})-([0-9]{1,8})$/

/** At most 91 characters, so that an archive takes it. */
export function payloadFileName({ capturedAt, digest, tenant, agent, bytes }: StoredPayload): string {
  return `${String(capturedAt).padStart(13, '0')}-${digest}-${tenant}${agent}-${bytes}`
}

export function parsePayloadFileName(name: string): StoredPayload | undefined {
  const [, time, digest, tenant, agent, bytes] = fileName.exec(name) ?? []
  if (time === undefined || digest === undefined || tenant === undefined || agent === undefined || bytes === undefined) return undefined
  return { digest, capturedAt: Number(time), bytes: Number(bytes), tenant, agent }
}
