import { assertRefused, get } from '../fixtures/edge-gate.ts'

// The first one is judged, the last one is used: so there is only one.
const names = ['authorization', 'cookie', 'mcp-session-id', 'origin', 'content-type', 'idempotency-key']

assertRefused(
  'edge.malformed',
  400,
  names.map((name) => ({ name: `two ${name} headers are refused`, bytes: get(`${name}: a`, `${name}: b`) })),
)
