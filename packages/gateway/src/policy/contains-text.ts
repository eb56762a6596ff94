/**
 * Whether `sought` occurs in `text`, in time that grows with the sum of their lengths.
 *
 * `String.prototype.includes` takes the product of the two for texts made for it, and here the caller chooses both.
 *
 * @see Knuth, Morris and Pratt, Fast Pattern Matching in Strings (1977)
 */
export function containsText(text: string, sought: string): boolean {
  if (sought.length > text.length) return false
  const borders = bordersOf(sought)
  let matched = 0
  for (let at = 0; at < text.length && matched < sought.length; at += 1) {
    matched = extend(sought, borders, matched, text.charCodeAt(at))
  }
  return matched === sought.length
}

/** For each beginning of the text: how long its longest proper beginning is that is also its end. */
function bordersOf(text: string): Uint32Array {
  const borders = new Uint32Array(text.length)
  let length = 0
  for (let at = 1; at < text.length; at += 1) {
    length = extend(text, borders, length, text.charCodeAt(at))
    borders[at] = length
  }
  return borders
}

/** How much of `text` is matched once another unit has come. */
function extend(text: string, borders: Uint32Array, matched: number, unit: number): number {
  let length = matched
  while (length > 0 && text.charCodeAt(length) !== unit) length = borders[length - 1] ?? 0
  return text.charCodeAt(length) === unit ? length + 1 : length
}
