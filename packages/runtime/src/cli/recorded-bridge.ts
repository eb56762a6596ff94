import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { exitCodes, Fault, type LoggingConfiguration } from '@sallyport/contract'
import type { BridgeOptions } from '../connect/bridge.ts'
import { identityInFolder } from '../link/identity-source.ts'
import { openRecordChannel } from '../records/open-record-channel.ts'
import { readLogging } from '../records/read-logging.ts'
import { recordingLink } from '../records/recording-link.ts'
import { refusedClients } from '../records/refused-clients.ts'
import type { RuntimeHappening } from '../records/runtime-event.ts'
import { clockOf, type AgentSideIo } from './agent-side-io.ts'
import { CommandFailure } from './command-failure.ts'

/** What a bridge uses of the gateway, and whom it tells of clients that it turned away. */
export type Recorded = Pick<BridgeOptions, 'link' | 'onTurnedAway'>

/**
 * Serves a bridge with what only it sees recorded at the gateway, where `logging` says so: the given file, or `logging.json` beside the identity. Where records are
 * required, nothing is forwarded while they cannot be made.
 */
export async function serveRecorded(
  io: AgentSideIo,
  directory: string,
  file: string | undefined,
  link: BridgeOptions['link'],
  facts: RuntimeHappening['facts'] & object,
  serve: (recorded: Recorded) => Promise<void>,
): Promise<void> {
  const logging = await usableLogging(file ?? join(directory, 'logging.json'), file !== undefined)
  if (!logging) return await serve({ link })
  const clock = clockOf(io)
  const report = (trouble: unknown): void => void io.stderr.write(`sallyport connect: nothing is recorded now: ${tell(trouble)}\n`)
  const channel = await openRecordChannel({ identity: identityInFolder(directory), logging, clock, newRun: randomUUID, report })
  const turnedAway = refusedClients(channel, clock)
  channel.note({ kind: 'bridge.opened', facts })
  try {
    await serve({ link: logging.required ? recordingLink(link, channel, clock, randomUUID) : link, onTurnedAway: turnedAway.see })
  } finally {
    turnedAway.close()
    channel.note({ kind: 'bridge.closed' })
    await channel.close()
  }
}

async function usableLogging(path: string, isNamed: boolean): Promise<LoggingConfiguration | undefined> {
  try {
    const logging = await readLogging(path)
    if (!logging && isNamed) throw new Fault(`${path} is not there`, 'not-done')
    return logging
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new CommandFailure(exitCodes.configuration, error.message)
  }
}

function tell(trouble: unknown): string {
  if (trouble instanceof Error) return trouble.message
  return typeof trouble === 'object' && trouble !== null && 'title' in trouble ? String(trouble.title) : String(trouble)
}
