/**
 * One spelling for texts that many programs take for each other: without difference of case and of compatibility forms (`K` and the Kelvin sign, `s` and the
 * long s, full-width letters).
 *
 * @see Unicode Standard Annex 15, NFKC; Go `encoding/json`, ASP.NET and most databases, which compare names so
 */
export function foldCase(text: string): string {
  return /^[a-z0-9]*$/.test(text) ? text : text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}

/** The same for the names of members and parameters, where ProtoJSON also takes `maxAmount` for `max_amount`. */
export function foldName(name: string): string {
  return foldCase(name).replace(/(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}])/gu, '')
}
