import { assertRefused, post } from '../fixtures/edge-gate.ts'

// CGI, WSGI and others turn both `_` and `-` into `_`: the forged header would override the real one.
assertRefused('edge.malformed', 400, [
  { name: 'content_length is refused', bytes: post(['content_length: 5'], '') },
  { name: 'x_forwarded_for is refused', bytes: post(['x_forwarded_for: 127.0.0.1'], '') },
])
