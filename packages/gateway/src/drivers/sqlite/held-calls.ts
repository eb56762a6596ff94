import { Fault } from '@sallyport/contract'
import type { HeldCall, HeldCalls, HeldCallsView } from '../../ledger.ts'
import type { Database } from './database.ts'
import { openRecord, sealRecord } from './sealed-record.ts'

/** Held calls that are kept at once. */
export const heldCallsMax = 8192

/** Keeps the arguments of held calls sealed beside the log until they expire. */
export class SqliteHeldCalls implements HeldCalls, HeldCallsView {
  readonly #database: Database
  readonly #sealingKey: Uint8Array
  readonly #randomBytes: (length: number) => Uint8Array
  readonly #now: () => number

  constructor(database: Database, sealingKey: Uint8Array, randomBytes: (length: number) => Uint8Array, now: () => number) {
    this.#database = database
    this.#sealingKey = sealingKey
    this.#randomBytes = randomBytes
    this.#now = now
  }

  async keep(approval: string, call: HeldCall, expiresAt: number): Promise<void> {
    if (await this.#database.read((sql) => sql.get(`SELECT 1 FROM held_calls WHERE approval = $approval`, { approval }))) return
    const sealed = sealRecord(this.#sealingKey, this.#randomBytes, boundTo(approval), JSON.stringify(call))
    await this.#database.write((sql) => {
      sql.run(`DELETE FROM held_calls WHERE expires_at <= $now`, { now: this.#now() })
      if (Number(sql.get(`SELECT count(*) AS held FROM held_calls`)?.['held']) >= heldCallsMax) throw new Fault('too many held calls are waiting', 'not-done')
      sql.run(`INSERT OR IGNORE INTO held_calls (approval, expires_at, sealed) VALUES ($approval, $expiresAt, $sealed)`, { approval, expiresAt, sealed })
    })
  }

  /** These, and all that are over: in no file any more when it resolves. @throws Fault */
  async forget(approvals: readonly string[]): Promise<void> {
    await this.#database.write((sql) => {
      for (const approval of approvals) sql.run(`DELETE FROM held_calls WHERE approval = $approval`, { approval })
      sql.run(`DELETE FROM held_calls WHERE expires_at <= $now`, { now: this.#now() })
    })
    await this.#database.expunge()
  }

  async find(approval: string): Promise<HeldCall | undefined> {
    const row = await this.#database.read((sql) =>
      sql.get(`SELECT sealed FROM held_calls WHERE approval = $approval AND expires_at > $now`, { approval, now: this.#now() }),
    )
    if (!row) return undefined
    try {
      return JSON.parse(openRecord(this.#sealingKey, boundTo(approval), row['sealed']))
    } catch (error) {
      throw new Fault(`the held call ${approval} does not open: its record was altered, or the sealing key is another`, 'not-done', error)
    }
  }
}

function boundTo(approval: string): string {
  return `held-call|${approval}`
}
