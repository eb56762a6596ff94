import { printableLine } from '../printable.ts'
import type { ExportedEntry, Exporter } from './exported-entry.ts'

/**
 * The entry as the log has it, with `log` and `index` in front of its members.
 *
 * Without these two, in canonical form, it is again the bytes that the log's proofs are about.
 */
export function jsonLine({ index, text }: ExportedEntry, { log }: Exporter): string {
  const place = `{"log":${JSON.stringify(log)},"index":${index}`
  if (text === undefined) return printableLine(`${place},"unreadable":true}`)
  return printableLine(text === '{}' ? `${place}}` : `${place},${text.slice(1)}`)
}
