import { recordKind, recordLimits, runtimeRecord, type RuntimeRecord } from '@sallyport/contract'

/** Something that happened where only the runtime sees it. */
export interface RuntimeHappening {
  /** Words with dots between them, such as `bridge.opened`. */
  readonly kind: string
  /** Flat; text is cut after 1,024 characters, and what a terminal would obey is taken out. */
  readonly facts?: Readonly<Record<string, string | number | boolean | null>>
}

const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** The record of it; undefined where it has more than a record holds, or facts that none has. @throws TypeError for a kind that no record has: a bug of the caller. */
export function recordOf({ kind, facts = {} }: RuntimeHappening, atMs: number): RuntimeRecord | undefined {
  if (!recordKind.safeParse(kind).success) throw new TypeError(`${JSON.stringify(kind)} is no kind of a record`)
  const clean = Object.entries(facts).map(([name, value]) => [name, typeof value === 'string' ? plain(value) : value] as const)
  const record = { at: new Date(atMs).toISOString(), kind, facts: Object.fromEntries(clean) }
  const parsed = runtimeRecord.safeParse(record)
  return parsed.success ? parsed.data : undefined
}

function plain(text: string): string {
  return text.slice(0, recordLimits.factCharactersMax).replace(unprintable, '\uFFFD')
}
