import type { Json } from '@sallyport/contract'

/**
 * What cannot be seen, or makes other text look different, and so could hide an instruction from a person that a model reads: controls, formats (zero width,
 * direction, tags), unassigned, separators but the plain space, marks that combine, and everything that fonts are told to leave out.
 */
const unseen = /[\p{C}\p{Zl}\p{Zp}\p{M}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu

/** A definition as lines of JSON that show everything that is in it. */
export function visibleLines(definition: Json): readonly string[] {
  return JSON.stringify(definition, null, 2).split('\n').map(escapeUnseen)
}

export function escapeUnseen(text: string): string {
  return text.replace(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** The lines of both, in their order: `- ` only in the first, `+ ` only in the second, `  ` in both. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly string[] {
  const common = commonLengths(before, after)
  const lines: string[] = []
  let at = 0
  let to = 0
  while (at < before.length || to < after.length) {
    const [old, fresh] = [before[at], after[to]]
    if (old !== undefined && old === fresh) {
      lines.push(`  ${old}`)
      at += 1
      to += 1
    } else if (old !== undefined && (fresh === undefined || lengthAt(common, at + 1, to) >= lengthAt(common, at, to + 1))) {
      lines.push(`- ${old}`)
      at += 1
    } else {
      lines.push(`+ ${fresh}`)
      to += 1
    }
  }
  return lines
}

/** Lines of one definition that are compared; what is behind them is shown as replaced. A definition of 64 KiB has fewer, unless it was made to be slow. */
const comparedMax = 2000

/** For each pair of places the length of the longest common row of lines from there on. */
function commonLengths(before: readonly string[], after: readonly string[]): readonly Uint16Array[] {
  const rows = Array.from({ length: Math.min(before.length, comparedMax) + 1 }, () => new Uint16Array(Math.min(after.length, comparedMax) + 1))
  for (let at = rows.length - 2; at >= 0; at -= 1) {
    const [row, below] = [rows[at], rows[at + 1]]
    if (!row || !below) continue
    for (let to = row.length - 2; to >= 0; to -= 1) row[to] = before[at] === after[to] ? (below[to + 1] ?? 0) + 1 : Math.max(below[to] ?? 0, row[to + 1] ?? 0)
  }
  return rows
}

function lengthAt(common: readonly Uint16Array[], at: number, to: number): number {
  return common[at]?.[to] ?? 0
}
