/** Rows under their heads, in columns as wide as they must be; two blanks between. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return aligned([heads, ...rows])
}

/** As `table`, without heads: names and what they hold. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0))
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
