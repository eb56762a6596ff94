import { assertRefused, get } from '../fixtures/edge-gate.ts'

// RFC 9112 5.2: a peer that does not unfold sees another header, or none.
assertRefused('edge.malformed', 400, [
  { name: 'a header folded with a space is refused', bytes: get('x-a: b', ' transfer-encoding: chunked') },
  { name: 'a header folded with a tab is refused', bytes: get('x-a: b', '\tc') },
  { name: 'white space before the first header is refused', bytes: 'GET / HTTP/1.1\r\n host: gateway.test\r\n\r\n' },
])
