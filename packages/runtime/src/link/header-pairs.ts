/** Header fields in the order they came, names as they were written. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[]

/** Pairs up node's and undici's flat raw header list. */
export function pairHeaders(raw: readonly (string | Buffer)[]): HeaderPairs {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([latin1(raw[at]), latin1(raw[at + 1])])
  return pairs
}

/** The first value under `name` (in lower case), or undefined. */
export function firstHeader(headers: HeaderPairs, name: string): string | undefined {
  return headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1]
}

/** The media type without parameters, in lower case. */
export function mediaType(headers: HeaderPairs): string | undefined {
  return firstHeader(headers, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase()
}

function latin1(text: string | Buffer | undefined): string {
  return typeof text === 'string' ? text : (text?.toString('latin1') ?? '')
}
