import { Fault } from '@sallyport/contract'
import type { ToolDefinition } from '../../access/mcp/tool-definition.ts'
import type { ToolOwner } from '../../policy/tool-pins.ts'
import type { ToolDefinitions, ToolDefinitionsView } from '../../tool-register.ts'
import type { Database } from './database.ts'
import { openRecord, sealRecord } from './sealed-record.ts'

/** Sealed definitions that are kept of one upstream for one tenant, in bytes: an upstream that changes them without end is not followed without end. */
export const definitionBytesMax = 67_108_864

/** Keeps definitions of tools sealed: they come from upstreams, and say what a tenant works with. */
export class SqliteToolDefinitions implements ToolDefinitions, ToolDefinitionsView {
  readonly #database: Database
  readonly #sealingKey: Uint8Array
  readonly #randomBytes: (length: number) => Uint8Array

  constructor(database: Database, sealingKey: Uint8Array, randomBytes: (length: number) => Uint8Array) {
    this.#database = database
    this.#sealingKey = sealingKey
    this.#randomBytes = randomBytes
  }

  async keep({ tenant, upstream }: ToolOwner, definitions: readonly ToolDefinition[]): Promise<void> {
    const rows = definitions.map(({ name, digest, text }) => {
      const sealed = sealRecord(this.#sealingKey, this.#randomBytes, boundTo({ tenant, upstream }, name, digest), text)
      return { tenant, upstream, tool: name, digest, sealed }
    })
    const bytes = rows.reduce((sum, { sealed }) => sum + sealed.length, 0)
    await this.#database.write((sql) => {
      const kept = sql.get(`SELECT coalesce(sum(length(sealed)), 0) AS bytes FROM tool_definitions WHERE tenant = $tenant AND upstream = $upstream`, {
        tenant,
        upstream,
      })
      if (Number(kept?.['bytes']) + bytes > definitionBytesMax) throw new Fault('too many definitions of tools are kept for this upstream', 'not-done')
      for (const row of rows)
        sql.run(`INSERT OR IGNORE INTO tool_definitions (tenant, upstream, tool, digest, sealed) VALUES ($tenant, $upstream, $tool, $digest, $sealed)`, row)
    })
  }

  async find({ tenant, upstream }: ToolOwner, tool: string, digest: string): Promise<string | undefined> {
    const row = await this.#database.read((sql) =>
      sql.get(`SELECT sealed FROM tool_definitions WHERE tenant = $tenant AND upstream = $upstream AND tool = $tool AND digest = $digest`, {
        tenant,
        upstream,
        tool,
        digest,
      }),
    )
    if (!row) return undefined
    try {
      return openRecord(this.#sealingKey, boundTo({ tenant, upstream }, tool, digest), row['sealed'])
    } catch (error) {
      throw new Fault(`the definition of ${tool} does not open: its record was altered, or the sealing key is another`, 'not-done', error)
    }
  }

  async keepOnly({ tenant, upstream }: ToolOwner, tool: string, digest: string): Promise<void> {
    await this.#database.write((sql) =>
      sql.run(`DELETE FROM tool_definitions WHERE tenant = $tenant AND upstream = $upstream AND tool = $tool AND digest <> $digest`, {
        tenant,
        upstream,
        tool,
        digest,
      }),
    )
  }
}

function boundTo({ tenant, upstream }: ToolOwner, tool: string, digest: string): string {
  return `tool-definition|${tenant}|${upstream}|${tool}|${digest}`
}
