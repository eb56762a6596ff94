import { readFile } from 'node:fs/promises'
import { Fault, loggingFile, parseJson, type LoggingConfiguration } from '@sallyport/contract'
import { parseAuditTarget } from './audit-target.ts'

const fileBytesMax = 65_536

/** The `logging` of a JSON file; undefined where there is no such file. @throws Fault when it says nothing that can be followed */
export async function readLogging(path: string): Promise<LoggingConfiguration | undefined> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (!bytes) return undefined
  const parsed = parseJson(bytes, { bytesMax: fileBytesMax, depthMax: 8 })
  if (parsed.kind === 'refused') throw new Fault(`${path} is not strict JSON: ${parsed.reason}`, 'not-done')
  const read = loggingFile.safeParse(parsed.value)
  if (!read.success) {
    const [issue] = read.error.issues
    throw new Fault(`${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'another shape'}`, 'not-done')
  }
  const { logging } = read.data
  if (!parseAuditTarget(logging.audit_target)) throw new Fault(`${path}: logging.audit_target names no port that there is`, 'not-done')
  return logging
}
