import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { compileConfiguration } from '../../packages/gateway/src/control/configuration/compile-configuration.ts'
import { formatFault } from '../../packages/gateway/src/control/configuration/configuration-fault.ts'
import { blocks } from '../fixtures/docs-shell.ts'

test('the configuration in docs/a2a.md is valid beside the API that it names', async () => {
  const [upstreams = '', delegation = ''] = blocks(await readFile('docs/a2a.md', 'utf8'), 'yaml')
  const text = `version: 1\ntrustDomain: agents.example\n${upstreams.replace('upstreams:', 'upstreams:\n  crm: { protocol: http, url: https://crm.example.com }')}\n${delegation.replace('rules:\n', '')}`
  const compiled = await compileConfiguration({ text, fileName: 'sallyport.yaml' }, '.', '')
  assert.equal(compiled.kind === 'invalid' ? compiled.faults.map(formatFault).join('\n') : '', '')
  assert.ok(compiled.kind === 'compiled')
  assert.deepEqual(compiled.configuration.rules.map(({ id }) => id).at(-1), 'bot-to-billing')
})
