import { assertRefused, get } from '../fixtures/edge-gate.ts'

const limits = { headBytes: 2000, headerBytes: 500, headerCount: 10, targetBytes: 300 }

assertRefused(
  'edge.too-large',
  413,
  [
    { name: 'a head that never ends is refused at the limit', bytes: `GET / HTTP/1.1\r\nhost: gateway.test\r\n${'x-a: b\r\n'.repeat(300)}` },
    { name: 'a request line that never ends is refused at the limit', bytes: `GET /${'a'.repeat(2000)}` },
    { name: 'a long target is refused', bytes: `GET /${'a'.repeat(300)} HTTP/1.1\r\nhost: gateway.test\r\n\r\n` },
    { name: 'a long header is refused', bytes: get(`x-a: ${'b'.repeat(500)}`) },
    { name: 'many headers are refused', bytes: get(...Array.from({ length: 10 }, (_, index) => `x-${index}: a`)) },
  ],
  { limits },
)
