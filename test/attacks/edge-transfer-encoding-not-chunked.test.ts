import { assertRefused, post } from '../fixtures/edge-gate.ts'

// The TE.TE class: each of these was once read as chunked by one peer and ignored by another.
const encodings = ['gzip, chunked', 'chunked, identity', 'chunked, chunked', 'identity', 'Chunked', 'xchunked', '"chunked"', 'chunked;q=1', 'chunk', '']

assertRefused(
  'edge.malformed',
  400,
  encodings.map((encoding) => ({ name: `transfer-encoding: ${encoding} is refused`, bytes: post([`transfer-encoding: ${encoding}`], '0\r\n\r\n') })),
)
