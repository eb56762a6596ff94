import type { Format } from './exported-entry.ts'
import { jsonLine } from './jsonl.ts'
import { ocsfEvent } from './ocsf.ts'
import { syslogMessage } from './syslog.ts'

/** Every format that an export can have, each in a file of its own. */
export const formats = { jsonl: jsonLine, ocsf: ocsfEvent, syslog: syslogMessage } as const satisfies Record<string, Format>

export type FormatName = keyof typeof formats
