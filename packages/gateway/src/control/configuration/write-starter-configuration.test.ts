import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePolicy } from '../../policy/snapshot.ts'
import { readConfiguration } from './read-configuration.ts'
import { writeStarterConfiguration, type StarterChoices } from './write-starter-configuration.ts'

const choices: StarterChoices = {
  trustDomain: 'agents.example.com',
  listen: '127.0.0.1:8443',
  enrolment: 'off',
  operations: '[::1]:9464',
  names: ['localhost', '::1'],
}
const read = (text: string): ReturnType<typeof readConfiguration> => readConfiguration({ text, fileName: 'sallyport.yaml' })

test('the starter is valid, tells editors its schema in the first line, and permits nothing', () => {
  const text = writeStarterConfiguration(choices)
  assert.equal(text.split('\n', 1)[0], '# yaml-language-server: $schema=./sallyport.schema.json')
  const given = read(text)
  assert.ok(given.kind === 'read', JSON.stringify(given))
  const { trustDomain, listen, enrolment, operations, names, rules } = given.configuration
  assert.deepEqual({ trustDomain, listen, enrolment, operations, names }, { ...choices, names: ['localhost', '::1'] })
  assert.deepEqual(rules, [])
})

test('its examples are valid once the comment signs are gone', () => {
  const text = writeStarterConfiguration(choices)
    .replace(/^(upstreams|rules): [{[][}\]]$/gm, '$1:')
    .replace(/^# {2}/gm, '  ')
    .replace('upstream: payments', 'upstream: crm')
  const given = read(text)
  assert.ok(given.kind === 'read', JSON.stringify(given))
  const { rules, quotas, upstreams } = given.configuration
  assert.deepEqual([rules.length, Object.keys(upstreams)], [2, ['crm', 'files', 'openai']])
  assert.equal(compilePolicy(rules, quotas, { upstreams: Object.keys(upstreams) }).kind, 'compiled')
})

test('upstreams that were found are written as they are', () => {
  const upstreams = { files: { protocol: 'mcp', command: ['npx', '-y', '@x/y', '#not a comment: "quoted"'] } } as const
  const given = read(writeStarterConfiguration({ ...choices, upstreams: { files: { ...upstreams.files, command: [...upstreams.files.command] } } }))
  assert.ok(given.kind === 'read', JSON.stringify(given))
  assert.deepEqual(given.configuration.upstreams, upstreams)
})
