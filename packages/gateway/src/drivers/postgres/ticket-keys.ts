import { Fault } from '@sallyport/contract'
import { z } from 'zod'
import type { KeptTicketKeys } from '../../control/tickets/ticket-keys.ts'
import { bytes, damaged, wholeNumber } from '../row.ts'
import { keepChange, lockChanges } from './changes.ts'
import type { ClusterDatabase } from './cluster-database.ts'

const versioned = z.tuple([z.int().min(1), z.string()])

/** The keys of tickets in a PostgreSQL that several gateways share, sealed with a key that it does not have. */
export class PostgresTicketKeys implements KeptTicketKeys {
  readonly #database: ClusterDatabase
  readonly #seal: (text: string) => Uint8Array
  readonly #open: (sealed: Uint8Array) => string
  /** Of what was read or kept last; 0: there was nothing. */
  #version = 0

  constructor(database: ClusterDatabase, seal: (text: string) => Uint8Array, open: (sealed: Uint8Array) => string) {
    this.#database = database
    this.#seal = seal
    this.#open = open
  }

  async read(): Promise<string | undefined> {
    const row = await this.#database.read(async (sql) => (await sql.all('SELECT version, sealed FROM ticket_keys'))[0])
    if (!row) return undefined
    const version = wholeNumber(row, 'version')
    const sealed = bytes(row, 'sealed') ?? damaged('sealed')
    const [sealedVersion, text] = this.#opened(sealed)
    // An older row in the place of a newer one would bring back keys that were given up.
    if (sealedVersion !== version || version < this.#version) throw altered()
    this.#version = version
    return text
  }

  async keep(text: string): Promise<'kept' | 'changed-meanwhile'> {
    const before = this.#version
    const kept = await this.#database.write(async (sql) => {
      await lockChanges(sql)
      const changed = await sql.run(
        before === 0
          ? 'INSERT INTO ticket_keys (place, version, sealed) VALUES (1, $1 + 1, $2) ON CONFLICT DO NOTHING'
          : 'UPDATE ticket_keys SET version = version + 1, sealed = $2 WHERE version = $1',
        [before, this.#seal(JSON.stringify([before + 1, text]))],
      )
      if (changed > 0) await keepChange(sql, { kind: 'ticket-keys' })
      return changed > 0
    })
    if (!kept) return 'changed-meanwhile'
    this.#version = before + 1
    return 'kept'
  }

  #opened(sealed: Uint8Array): readonly [version: number, text: string] {
    try {
      return versioned.parse(JSON.parse(this.#open(sealed)))
    } catch (error) {
      throw altered(error)
    }
  }
}

function altered(cause?: unknown): Fault {
  const text = 'the keys of tickets in PostgreSQL were altered, or sealed with another sealing.key: every gateway needs a copy of the same'
  return new Fault(text, 'not-done', cause)
}
