/** One thing wrong with a configuration file, and where. It is its own JSON form. */
export type ConfigurationFault = {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** The field, from the top of the file; empty where the text is no YAML. */
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
  /** The line itself; absent where it may hold something secret. */
  readonly source?: string
}

/** Longest piece of a line that is shown. */
const shownMax = 160

/** The form for people: where, what, the line, a caret under the place, and what to do. */
export function formatFault({ file, line, column, message, hint, source }: ConfigurationFault): string {
  const lines = [`${file}:${line}:${column}: ${message}`]
  if (source !== undefined) {
    const from = Math.max(0, column - 1 - shownMax / 2)
    const shown = source.slice(from, from + shownMax).replaceAll('\t', ' ')
    lines.push(`  ${shown}`, `  ${' '.repeat(column - 1 - from)}^`)
  }
  if (hint !== undefined) lines.push(`  hint: ${hint}`)
  return lines.join('\n')
}
