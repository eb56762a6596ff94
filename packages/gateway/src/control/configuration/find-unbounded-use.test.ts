import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileConfiguration } from './compile-configuration.ts'

async function faultsOf(models: string, quota: string): Promise<readonly string[]> {
  const text = `version: 1\ntrustDomain: agents.test\nupstreams:\n  gpt: { protocol: llm, ${models} }\n  other: { protocol: http, url: https://api.example }\nquotas:\n  - { id: q, per: [tenant], window: 1h, ${quota} }\n`
  const compiled = await compileConfiguration({ text, fileName: 'sallyport.yaml' }, '.', '')
  return compiled.kind === 'invalid' ? compiled.faults.map(({ path, line, message }) => `${path.join('.')}:${line}: ${message}`) : []
}

const openai = 'api: openai, url: https://api.openai.com'
const priced = 'prices: { m: { input: 1, output: 2 } }'

const rows: readonly (readonly [name: string, models: string, quota: string, ...faults: RegExp[]])[] = [
  ['tokens of calls without a limit', openai, 'tokens: 5', /^upstreams\.gpt\.maxOutputTokens:4: quota q counts the tokens/],
  ['tokens of calls with a limit', `${openai}, maxOutputTokens: 5`, 'tokens: 5'],
  ['tokens of an API that wants a limit', 'api: anthropic, url: https://api.anthropic.com', 'tokens: 5'],
  ['tokens elsewhere', openai, 'tokens: 5, match: { upstream: other }'],
  ['tokens of all by a star', openai, "tokens: 5, match: { upstream: 'g*' }", /maxOutputTokens/],
  ['requests', openai, 'requests: 5'],
  ['cost without prices', `${openai}, maxOutputTokens: 5`, 'cost: 5', /^upstreams\.gpt\.prices:4: quota q counts the cost/],
  ['cost with prices', `${openai}, maxOutputTokens: 5, ${priced}`, 'cost: 5'],
  ['cost of calls without a limit', `${openai}, ${priced}`, 'cost: 5', /maxOutputTokens/],
  ['a base URL with /v1', 'api: openai, url: https://api.openai.com/v1', 'requests: 5', /^upstreams\.gpt\.url:4: the base URL ends with \/v1/],
  ['an unknown field', `${openai}, hosts: [x]`, 'requests: 5', /^upstreams\.gpt\.hosts:4: unknown field/],
  ['an unknown API', 'api: gemini, url: https://x.example', 'requests: 5', /openai or anthropic/],
  ['a price that is too fine', `${openai}, prices: { m: { input: 0.0000001, output: 2 } }`, 'requests: 5', /prices/],
  ['an address inside', 'api: openai, url: http://169.254.169.254', 'requests: 5', /would never be dialled/],
  ['a quota that limits nothing', openai, 'match: {}', /^quotas\.0\.requests:7: the quota limits nothing/],
]
for (const [name, models, quota, ...faults] of rows) {
  test(`${faults.length > 0 ? 'a fault' : 'fine'}: ${name}`, async () => {
    const found = await faultsOf(models, quota)
    assert.equal(found.length, faults.length, found.join('; '))
    for (const [index, fault] of faults.entries()) assert.match(found[index] ?? '', fault)
  })
}
