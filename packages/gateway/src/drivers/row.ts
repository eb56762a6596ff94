import { Fault } from '@sallyport/contract'

/** A row of a table that has the same columns in every driver. Numbers can be whole numbers as text. */
export type Row = Readonly<Record<string, unknown>>

export function text(row: Row, column: string): string {
  const value = row[column]
  return typeof value === 'string' ? value : damaged(column)
}

export function optionalText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column)
}

export function wholeNumber(row: Row, column: string): number {
  const value = Number(row[column])
  return Number.isSafeInteger(value) && row[column] !== null ? value : damaged(column)
}

export function bytes(row: Row, column: string): Uint8Array | undefined {
  const value = row[column]
  return value === null || value instanceof Uint8Array ? (value ?? undefined) : damaged(column)
}

/** @throws Fault always */
export function damaged(column: string): never {
  throw new Fault(`the database is damaged: column ${column} holds what was never written there`, 'not-done')
}
