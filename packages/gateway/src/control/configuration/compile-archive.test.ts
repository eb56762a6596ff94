import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { archiveEveryMsRange, retainMsRange } from '@sallyport/contract'
import type { ArchiveSettings } from '../../archive/archive-settings.ts'
import { compileConfiguration } from './compile-configuration.ts'
import { formatFault } from './configuration-fault.ts'

const s3 = { bucket: 'acme-audit', prefix: 'gateway-1/', region: 'eu-central-1' }

async function compile(archive: object): Promise<ArchiveSettings | string | undefined> {
  const text = JSON.stringify({ version: 1, trustDomain: 'agents.example', log: { archive } })
  const compiled = await compileConfiguration({ text, fileName: 'sallyport.yaml' }, tmpdir(), '')
  return compiled.kind === 'compiled' ? compiled.archive : compiled.faults.map(formatFault).join('\n')
}

test('an archive has seven years and a minute where nothing else is said', async () => {
  assert.deepEqual(await compile({ s3 }), { ...s3, endpoint: undefined, access: undefined, retainMs: 2555 * 86_400_000, everyMs: 60_000 })
  assert.deepEqual(await compile({ s3: { ...s3, endpoint: 'https://s3.example', accessKeyId: 'A', secret: 'archive' }, retain: '36500d', every: '24h' }), {
    ...s3,
    endpoint: 'https://s3.example',
    access: { keyId: 'A', secretName: 'archive' },
    retainMs: retainMsRange.max,
    everyMs: archiveEveryMsRange.max,
  })
})

test('what would send credentials in the clear, or half of them, or keep nothing, is refused', async () => {
  const cases: readonly (readonly [archive: object, objection: RegExp])[] = [
    [{ s3: { ...s3, endpoint: 'http://s3.example' } }, /plain http/],
    [{ s3: { ...s3, endpoint: 'https://user:word@s3.example' } }, /no more than https/],
    [{ s3: { ...s3, endpoint: 'https://s3.example/?x' } }, /no more than https/],
    [{ s3: { ...s3, accessKeyId: 'A' } }, /needs its secret/],
    [{ s3: { ...s3, secret: 'archive' } }, /needs its secret/],
    [{ s3: { ...s3, prefix: '' } }, /prefix/],
    [{ s3: { ...s3, prefix: 'no-slash' } }, /prefix/],
    [{ s3: { ...s3, prefix: '../up/' } }, /prefix/],
    [{ s3: { ...s3, bucket: 'Upper' } }, /bucket/],
    [{ s3, retain: '23h' }, /retain/],
    [{ s3, retain: '36501d' }, /retain/],
    [{ s3, every: '999ms' }, /every/],
    [{ s3, every: '25h' }, /every/],
  ]
  for (const [archive, objection] of cases) assert.match(JSON.stringify(await compile(archive)), objection, JSON.stringify(archive))
  for (const endpoint of ['http://127.0.0.1:9000', 'http://[::1]:9000', 'http://localhost:9000'])
    assert.ok(typeof (await compile({ s3: { ...s3, endpoint } })) === 'object')
})
