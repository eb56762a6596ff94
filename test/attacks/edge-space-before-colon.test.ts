import { assertRefused, post } from '../fixtures/edge-gate.ts'

// RFC 9112 5.1: a peer that strips the space sees a length, one that does not sees none.
assertRefused('edge.malformed', 400, [
  { name: 'a space before the colon is refused', bytes: post(['content-length : 5'], 'hello') },
  { name: 'a tab before the colon is refused', bytes: post(['transfer-encoding\t: chunked'], '0\r\n\r\n') },
])
