import { assertRefused, get } from '../fixtures/edge-gate.ts'

assertRefused('edge.malformed', 400, [
  { name: 'NUL in the path is refused', bytes: 'GET /a\0b HTTP/1.1\r\nhost: gateway.test\r\n\r\n' },
  { name: '%00 in the path is refused', bytes: 'GET /a%00b HTTP/1.1\r\nhost: gateway.test\r\n\r\n' },
  { name: '%00 in the query is refused', bytes: 'GET /a?b=%00 HTTP/1.1\r\nhost: gateway.test\r\n\r\n' },
  { name: 'NUL in a value is refused', bytes: get('x-a: b\0c') },
  { name: 'NUL in a name is refused', bytes: get('x-a\0: b') },
  { name: 'a byte above ASCII in a value is refused', bytes: get('x-a: \xff') },
])
