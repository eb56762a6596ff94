import { assertRefused } from '../fixtures/edge-gate.ts'

const versions = ['HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/2', 'http/1.1', 'HTTP/1.1.1', 'HTTP/1.10', 'HTTP/+1.1', 'ICAP/1.0']

assertRefused('edge.malformed', 400, [
  ...versions.map((version) => ({ name: `${version} is refused`, bytes: `GET / ${version}\r\nhost: gateway.test\r\n\r\n` })),
  { name: 'a request line without a version is refused', bytes: 'GET /\r\nhost: gateway.test\r\n\r\n' },
  { name: 'the preface of HTTP/2 is refused', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
])
