import { assertRefused, post } from '../fixtures/edge-gate.ts'

// Chunk extensions and line ends hide requests from peers that skip them differently (CVE-2024-1135 and the TERM.EXT class).
const bodies: [name: string, body: string][] = [
  ['a chunk extension', '5;a=b\r\nhello\r\n0\r\n\r\n'],
  ['a bare LF after a chunk size', '5\nhello\r\n0\r\n\r\n'],
  ['white space after a chunk size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['a chunk size with a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a chunk longer than its size', '5\r\nhello!\r\n0\r\n\r\n'],
  ['trailer fields', '5\r\nhello\r\n0\r\nauthorization: x\r\n\r\n'],
]

assertRefused(
  'edge.malformed',
  400,
  bodies.map(([name, body]) => ({ name: `${name} is refused`, bytes: post(['transfer-encoding: chunked'], body) })),
)
