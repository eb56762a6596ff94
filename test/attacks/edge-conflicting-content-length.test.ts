import { assertRefused, post } from '../fixtures/edge-gate.ts'

// RFC 9112 6.3: one peer takes the first length, another the last; what lies between becomes a request of its own.
assertRefused('edge.malformed', 400, [
  { name: 'two different lengths are refused', bytes: post(['content-length: 5', 'content-length: 50'], 'hello') },
  { name: 'the same length twice is refused', bytes: post(['content-length: 5', 'content-length: 5'], 'hello') },
  { name: 'a list of lengths is refused', bytes: post(['content-length: 5, 5'], 'hello') },
  { name: 'a signed length is refused', bytes: post(['content-length: +5'], 'hello') },
  { name: 'a length with a leading zero is refused', bytes: post(['content-length: 010'], 'hellohello') },
])
