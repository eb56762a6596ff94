import { assertRefused } from '../fixtures/edge-gate.ts'

// A proxy that prefers the target over the host would go where nobody judged.
const targets = ['https://gateway.test/http/crm', 'http://169.254.169.254/latest', '//169.254.169.254/latest', 'gateway.test/http/crm', '*', '?a=b']

assertRefused(
  'edge.malformed',
  400,
  targets.map((target) => ({ name: `the target ${target} is refused`, bytes: `GET ${target} HTTP/1.1\r\nhost: gateway.test\r\n\r\n` })),
)
