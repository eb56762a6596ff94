/** The policy service behind `auth_request`: who it is, which path, how often. Nothing is kept, nothing is written. */
import { createServer } from 'node:http'

interface Rule {
  readonly methods: ReadonlySet<string>
  readonly path: RegExp
}

const rules: readonly Rule[] = [
  { methods: new Set(['GET']), path: /^\/(?:blobs\/\d+|events)$/ },
  { methods: new Set(['POST']), path: /^\/things$/ },
]
const used = new Map<string, number>()

const server = createServer({ keepAliveTimeout: 600_000 }, ({ headers }, response) => {
  const agent = String(headers['x-agent'])
  const calls = (used.get(agent) ?? 0) + 1
  used.set(agent, calls)
  const method = String(headers['x-method'])
  const path = String(headers['x-target'])
  const isPermitted = calls < 1_000_000_000 && rules.some((rule) => rule.methods.has(method) && rule.path.test(path))
  response.writeHead(isPermitted ? 204 : 403).end()
})
server.listen(0, '127.0.0.1', 1024, () => {
  const address = server.address()
  if (typeof address === 'object') process.send?.(address?.port)
})
process.on('disconnect', () => process.exit())
