import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsIntervalMsMin } from '@sallyport/contract'
import { compileConfiguration } from './compile-configuration.ts'
import { formatFault } from './configuration-fault.ts'

async function compiled(telemetry: string): Promise<readonly string[]> {
  const text = `version: 1\ntrustDomain: agents.example\ntelemetry:\n${telemetry}`
  const result = await compileConfiguration({ text, fileName: 'sallyport.yaml' }, '/', '')
  return result.kind === 'invalid' ? result.faults.map((fault) => formatFault(fault).split('\n')[0] ?? '') : result.warnings
}

test('what is wrong with telemetry is told with its line', async () => {
  const endpoint = 'endpoint: https://otlp.example/v1/traces'
  const cases: readonly (readonly [text: string, fault: RegExp])[] = [
    ['  traces: { sample: 1 }\n', /^sallyport\.yaml:4:\d+: .*'endpoint' is missing/],
    ['  traces: { endpoint: "ftp://x" }\n', /^sallyport\.yaml:4:\d+: .*begins with http:\/\/ or https:\/\//],
    ['  traces: { endpoint: "https://me:key@otlp.example/" }\n', /^sallyport\.yaml:4:\d+: .*without a user name/],
    [`  traces: { ${endpoint}, sample: 1.01 }\n`, /^sallyport\.yaml:4:\d+: .*at most 1/],
    [`  traces: { ${endpoint}, trust: parents }\n`, /^sallyport\.yaml:4:\d+: .*expected one of none, link, parent/],
    [`  traces: { ${endpoint}, propogate: true }\n`, /^sallyport\.yaml:4:\d+: .*unknown field 'propogate'/],
    [`  traces: { ${endpoint}, headers: { host: { secret: a } } }\n`, /^sallyport\.yaml:4:\d+: .*fills this header itself/],
    [`  traces: { ${endpoint}, headers: { authorization: { secret: a, format: Bearer } } }\n`, /^sallyport\.yaml:4:\d+: .*must contain \{secret\}/],
    [`  metrics: { ${endpoint}, interval: ${metricsIntervalMsMin - 1}ms }\n`, /^sallyport\.yaml:4:\d+: .*at least 1s/],
    [`  metrics: { ${endpoint}, interval: 61m }\n`, /^sallyport\.yaml:4:\d+: .*at most 1h/],
  ]
  for (const [text, fault] of cases) assert.match((await compiled(text)).join('\n'), fault, text)
  for (const interval of [`${metricsIntervalMsMin}ms`, '1h']) assert.deepEqual(await compiled(`  metrics: { ${endpoint}, interval: ${interval} }\n`), [])
})

test('credentials for a receiver on another host over plain HTTP are warned of', async () => {
  const headers = 'headers: { authorization: { secret: otlp } }'
  for (const [url, isOpen] of [
    ['http://otlp.example:4318/v1/traces', true],
    ['http://127.evil.example/v1/traces', true],
    ['http://127.0.0.1:4318/v1/traces', false],
    ['http://[::1]:4318/v1/traces', false],
    ['http://localhost:4318/v1/traces', false],
    ['https://otlp.example/v1/traces', false],
  ] as const)
    assert.equal((await compiled(`  traces: { endpoint: "${url}", ${headers} }\n`)).length, isOpen ? 1 : 0, url)
})
