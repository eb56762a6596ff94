/** Factors of the units in which `docs/limits.md` writes values: sizes in bytes, times in milliseconds. */
const units: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `64`, `10,000`, `32 KiB`, `1.5 s`; undefined for anything else. */
export function readLimitValue(text: string): number | undefined {
  const [, digits, unit] = /^([0-9][0-9,]*(?:\.[0-9]+)?)(?: ([A-Za-z]+))?$/.exec(text) ?? []
  if (digits === undefined) return undefined
  const factor = unit === undefined ? 1 : units[unit]
  return factor === undefined ? undefined : Number(digits.replaceAll(',', '')) * factor
}

/** The value as the page writes it, in the largest unit that needs no fraction. */
export function formatLimitValue(name: string, value: number): string {
  const fitting = /Ms/.test(name) ? ['d', 'h', 'min', 's', 'ms'] : /[bB]ytes/.test(name) ? ['GiB', 'MiB', 'KiB'] : []
  const unit = fitting.find((candidate) => value >= (units[candidate] ?? 0) && value % (units[candidate] ?? 1) === 0)
  const amount = unit === undefined ? value : value / (units[unit] ?? 1)
  return `${amount.toLocaleString('en-US', { maximumFractionDigits: 20 })}${unit === undefined ? '' : ` ${unit}`}`
}
