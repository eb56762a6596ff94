/**
 * What a terminal would obey instead of showing: control characters (C1 too: U+009B begins a command) and format characters (U+202E turns the text around it).
 *
 * @see Unicode Technical Report 36 section 2.10
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Text as it can be shown to a person: line breaks stay, everything that would act is escaped as in JSON. JSON in gives JSON of the same value. */
export function printable(text: string): string {
  return text.replace(unprintable, (found) => (found === '\n' ? found : escaped(found)))
}

/** As `printable`, and on one line. */
export function printableLine(text: string): string {
  return text.replace(unprintable, escaped)
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join('')
}
