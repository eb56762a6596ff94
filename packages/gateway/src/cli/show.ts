import { createHash } from 'node:crypto'
import { printable } from '../printable.ts'

export interface ShowOptions {
  /** Everything, at whatever length. */
  readonly isFull: boolean
  /** On one line. */
  readonly isLine?: boolean
}

/** JSON that a terminal only shows. What is long is cut, with its length and digest, unless it shall be full. */
export function shownJson(value: unknown, { isFull, isLine = false }: ShowOptions): string {
  const text = JSON.stringify(isFull ? value : shortened(value), null, isLine ? undefined : 2)
  return printable(text)
}

/** Characters of a text, and members of a list or group, that are shown at once. */
export const shownCharactersMax = 400
export const shownMembersMax = 100

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return shortText(value)
  if (Array.isArray(value)) {
    const rest = value.length - shownMembersMax
    const shown = value.slice(0, shownMembersMax).map(shortened)
    return rest > 0 ? [...shown, `… ${rest} more ${summaryOf(JSON.stringify(value))}`] : shown
  }
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value)
  const rest = members.length - shownMembersMax
  const shown = members.slice(0, shownMembersMax).map(([name, member]) => [shortText(name), shortened(member)] as const)
  return Object.fromEntries(rest > 0 ? [...shown, ['…', `${rest} more ${summaryOf(JSON.stringify(value))}`]] : shown)
}

/** Cut, with its length and digest, when it is long. */
export function shortText(text: string): string {
  if (text.length <= shownCharactersMax) return text
  return `${text.slice(0, shownCharactersMax).toWellFormed()}… ${summaryOf(text)}`
}

function summaryOf(text: string): string {
  return `(${text.length} characters in all, SHA-256 ${createHash('sha256').update(text).digest('hex')}; --full shows them)`
}
