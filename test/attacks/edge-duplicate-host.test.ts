import { assertRefused, get } from '../fixtures/edge-gate.ts'

assertRefused('edge.malformed', 400, [
  { name: 'a second host is refused', bytes: get('host: other.test') },
  { name: 'the same host twice is refused', bytes: get('Host: gateway.test') },
  { name: 'no host is refused', bytes: 'GET / HTTP/1.1\r\n\r\n' },
  { name: 'an empty host is refused', bytes: 'GET / HTTP/1.1\r\nhost:\r\n\r\n' },
  { name: 'a host with user info is refused', bytes: 'GET / HTTP/1.1\r\nhost: gateway.test@other.test\r\n\r\n' },
])
