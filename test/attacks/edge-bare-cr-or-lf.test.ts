import { assertRefused, get } from '../fixtures/edge-gate.ts'

assertRefused('edge.malformed', 400, [
  { name: 'LF alone after the request line is refused', bytes: 'GET / HTTP/1.1\nhost: gateway.test\r\n\r\n' },
  { name: 'LF alone after a header is refused', bytes: 'GET / HTTP/1.1\r\nhost: gateway.test\n\r\n' },
  { name: 'LF alone as the empty line is refused', bytes: 'GET / HTTP/1.1\r\nhost: gateway.test\r\n\n' },
  { name: 'CR alone inside a value is refused', bytes: get('x-a: b\rtransfer-encoding: chunked') },
  { name: 'CR alone as a line end is refused', bytes: 'GET / HTTP/1.1\rhost: gateway.test\r\r' },
  { name: 'an empty line before the request is refused', bytes: `\r\n${get()}` },
])
