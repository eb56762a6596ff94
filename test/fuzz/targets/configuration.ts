import assert from 'node:assert/strict'
import fc from 'fast-check'
import { faultsMax, readConfiguration } from '../../../packages/gateway/src/control/configuration/read-configuration.ts'
import { formatFault } from '../../../packages/gateway/src/control/configuration/configuration-fault.ts'
import { writeStarterConfiguration } from '../../../packages/gateway/src/control/configuration/write-starter-configuration.ts'
import { bytesOf, type Target } from '../target.ts'

const starter = writeStarterConfiguration({
  trustDomain: 'gateway.example',
  listen: '127.0.0.1:8443',
  enrolment: '127.0.0.1:8444',
  operations: '127.0.0.1:9090',
})
const busy = `version: 1
trustDomain: gateway.example
listen: 127.0.0.1:8443
enrolment: 127.0.0.1:8444
operations: 127.0.0.1:9090
upstreams:
  crm: { protocol: http, url: https://crm.example, credential: { secret: crm-token }, deadlines: { connect: 5s } }
  files:
    protocol: mcp
    command: ["node", 'server.mjs']
    env: { MODE: "a\\u00e9" }
rules:
  - id: read
    match: { upstream: crm, action: "get_*" }
    effect: permit
    when: >-
      args.amount < 50
      && args.ok
quotas:
  - { id: calls, per: [agent], requests: 10, window: 1m }
`

/** A file is read, or told to be wrong at places that are in it; what was read is the same once more when it is written as JSON, which is YAML too. */
export const configurationTarget: Target = {
  name: 'control-configuration',
  inputs: fc.constantFrom(starter, busy).map(bytesOf),
  words: [
    '\n',
    '  ',
    '\t',
    ': ',
    '- ',
    '#',
    '"',
    "'",
    '|\n',
    '>-\n',
    '&a ',
    '*a',
    '<<: *a',
    '!!js/function',
    '!!binary ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '? ',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '__proto__: ',
    'constructor: ',
    '0x10',
    '0o7',
    '.inf',
    '~',
    'rules:',
    '\xef\xbb\xbf',
    '\xe2\x80\xa8',
  ],
  bytesMax: 6000,
  check(input) {
    const text = Buffer.from(input).toString('utf8')
    const read = readConfiguration({ text, fileName: 'sallyport.yaml' })
    if (read.kind === 'invalid') {
      assert.ok(read.faults.length > 0 && read.faults.length <= faultsMax)
      const lines = text.split('\n')
      for (const fault of read.faults) {
        assert.ok(fault.line >= 1 && fault.line <= lines.length && fault.column >= 1, formatFault(fault))
        assert.ok(fault.message !== '')
      }
      return
    }
    const again = readConfiguration({ text: JSON.stringify(read.configuration), fileName: 'sallyport.json' })
    assert.deepEqual(again.kind === 'read' ? again.configuration : again.faults, read.configuration)
  },
}
