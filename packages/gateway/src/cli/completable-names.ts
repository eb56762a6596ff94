import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { unreachable } from '@sallyport/contract'
import { readConfiguration } from '../control/configuration/read-configuration.ts'
import { dataFolder } from '../control/data-folder.ts'
import { SqliteAgentStore } from '../drivers/sqlite/agent-store.ts'
import { openDatabaseToRead } from '../drivers/sqlite/database.ts'

/** Names that a shell can offer, read without a running gateway. None where the files cannot be read or are not valid: nobody asked for an error. */
export async function completableNames(kind: 'upstream' | 'agent' | 'tenant', configurationFile: string, data?: string): Promise<readonly string[]> {
  try {
    switch (kind) {
      case 'upstream':
        return await upstreamNames(resolve(configurationFile))
      case 'agent':
        return (await agents(data ?? join(dirname(configurationFile), '.sallyport'))).map(({ tenant, agent }) => `${tenant}/${agent}`)
      case 'tenant':
        return [...new Set((await agents(data ?? join(dirname(configurationFile), '.sallyport'))).map(({ tenant }) => tenant))]
      default:
        return unreachable(kind)
    }
  } catch {
    return []
  }
}

async function upstreamNames(fileName: string): Promise<readonly string[]> {
  const read = readConfiguration({ text: await readFile(fileName, 'utf8'), fileName })
  return read.kind === 'invalid' ? [] : Object.keys(read.configuration.upstreams)
}

async function agents(folder: string): ReturnType<SqliteAgentStore['agents']> {
  const database = openDatabaseToRead(dataFolder(resolve(folder)).database)
  try {
    return database ? await new SqliteAgentStore(database).agents() : []
  } finally {
    database?.close()
  }
}
