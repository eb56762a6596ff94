import { assertRefused } from '../fixtures/edge-gate.ts'

const paths = [
  '/http/crm/../admin',
  '/http/crm/./a',
  '/http/crm/..',
  '/http/crm/%2e%2e/admin',
  '/http/crm/%2E%2E%2Fadmin',
  '/http/crm/.%2e/admin',
  '/http/crm/..%2fadmin',
  '/http/crm/..%5cadmin',
  '/http/crm/..\\admin',
  '/http/crm/..;/admin',
  '/http/crm/%252e%252e/admin',
  '/http/crm/%25%32%65%25%32%65/admin',
  '/http/crm/%c0%ae%c0%ae/admin',
  '/http/crm//admin',
]

assertRefused(
  'edge.malformed',
  400,
  paths.map((path) => ({ name: `${path} is refused`, bytes: `GET ${path} HTTP/1.1\r\nhost: gateway.test\r\n\r\n` })),
)
