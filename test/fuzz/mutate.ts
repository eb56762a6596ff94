/** Numbers from 0 up to, but without, `below`; the same for the same seed. */
export type Draw = (below: number) => number

/** Mulberry32: small, and good enough to pick mutations. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

interface Material {
  readonly words: readonly Uint8Array[]
  readonly others: readonly Uint8Array[]
  readonly bytesMax: number
}

type Mutation = (input: Uint8Array, draw: Draw, material: Material) => Uint8Array

/** Bytes at which readers change their minds. */
const telling = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2c, 0x2e, 0x2f, 0x30, 0x3a, 0x3b, 0x5c, 0x7f, 0x80, 0xc0, 0xff]

const mutations: readonly Mutation[] = [
  (input, draw) => replaced(input, draw(input.length + 1), 1, Uint8Array.of(draw(256))),
  (input, draw) => replaced(input, draw(input.length + 1), 1, Uint8Array.of(telling[draw(telling.length)] ?? 0)),
  (input, draw) => replaced(input, draw(input.length + 1), 0, Uint8Array.of(telling[draw(telling.length)] ?? 0)),
  (input, draw) => replaced(input, draw(input.length + 1), 1 + draw(8), new Uint8Array(0)),
  (input, draw) => replaced(input, draw(input.length + 1), draw(input.length + 1), new Uint8Array(0)),
  (input, draw, { words }) => replaced(input, draw(input.length + 1), 0, words[draw(words.length)]),
  (input, draw, { words }) => replaced(input, draw(input.length + 1), 1 + draw(8), words[draw(words.length)]),
  (input, draw) => replaced(input, draw(input.length + 1), 0, rangeOf(input, draw)),
  (input, draw) => replaced(input, draw(input.length + 1), 1 + draw(16), rangeOf(input, draw)),
  (input, draw, { others }) => replaced(input, draw(input.length + 1), 0, rangeOf(others[draw(others.length)] ?? input, draw)),
  (input, draw, { others }) => Buffer.concat([input.subarray(0, draw(input.length + 1)), tailOf(others[draw(others.length)] ?? input, draw)]),
  (input, draw, { bytesMax }) => repeated(input, draw, bytesMax),
  (input, draw) => {
    const at = draw(input.length + 1)
    return replaced(input, at, 1, Uint8Array.of((input[at] ?? 0) ^ (1 << draw(8))))
  },
]

/** One to about eight changes in a row. */
export function mutate(input: Uint8Array, draw: Draw, material: Material): Uint8Array {
  let changed = input
  do {
    const mutation = mutations[draw(mutations.length)]
    if (mutation) changed = mutation(changed, draw, material).subarray(0, material.bytesMax)
  } while (draw(2) === 1)
  return changed
}

function replaced(input: Uint8Array, at: number, length: number, by: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Buffer.concat([input.subarray(0, at), by, input.subarray(at + length)])
}

function rangeOf(input: Uint8Array, draw: Draw): Uint8Array {
  const start = draw(input.length)
  return input.subarray(start, start + 1 + draw(Math.min(64, input.length - start)))
}

function tailOf(input: Uint8Array, draw: Draw): Uint8Array {
  return input.subarray(draw(input.length + 1))
}

/** A piece many times over: what costs more than its length shows itself by being slow. */
function repeated(input: Uint8Array, draw: Draw, bytesMax: number): Uint8Array {
  const piece = rangeOf(input, draw)
  if (piece.length === 0) return input
  const times = 1 + draw(Math.floor(bytesMax / piece.length))
  return replaced(input, draw(input.length + 1), 0, Buffer.concat(Array.from({ length: times }, () => piece)))
}
