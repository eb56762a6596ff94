export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly name: string
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const quoted = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t\\x20-\\x7e])*"'
const whole = new RegExp(`^(${token}/${token})((?:[ \\t]*;[ \\t]*${token}=(?:${token}|${quoted}))*)[ \\t]*$`)
const oneParameter = new RegExp(`;[ \\t]*(${token})=(${token}|${quoted})`, 'g')

/** Reads a Content-Type; undefined for anything outside the grammar or with a repeated parameter. @see RFC 9110 section 8.3.1 */
export function parseMediaType(text: string): MediaType | undefined {
  if (text.length > 256) return undefined
  const parts = whole.exec(text)
  if (!parts) return undefined
  const parameters = new Map<string, string>()
  for (const [, name = '', value = ''] of (parts[2] ?? '').matchAll(oneParameter)) {
    const key = name.toLowerCase()
    if (parameters.has(key)) return undefined
    parameters.set(key, value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value)
  }
  return { name: (parts[1] ?? '').toLowerCase(), parameters }
}

/** Whether servers read such a body as one JSON text. */
export function isJson({ name }: MediaType): boolean {
  return name === 'application/json' || name === 'text/json' || name.endsWith('+json')
}
