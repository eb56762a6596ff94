import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileConfiguration } from '../../packages/gateway/src/control/configuration/compile-configuration.ts'
import { formatFault } from '../../packages/gateway/src/control/configuration/configuration-fault.ts'
import { blocks, section } from '../fixtures/docs-shell.ts'

test('the complete file in docs/configuration.md is valid where its folders and programs are there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-example-'))
  t.after(() => rm(folder, { recursive: true }))
  const [text = ''] = blocks(await section('docs/configuration.md', 'A complete file'), 'yaml')
  for (const name of ['mcp', 'shared', 'bin']) await mkdir(join(folder, name))
  await symlink(process.execPath, join(folder, 'bin', 'node'))
  // It only has to be there: nothing is started.
  await writeFile(join(folder, 'bin', 'bwrap'), '#!/bin/sh\n')
  await chmod(join(folder, 'bin', 'bwrap'), 0o755)
  await writeFile(
    join(folder, 'billing-openapi.yaml'),
    'openapi: 3.1.0\ninfo: { title: billing, version: "1" }\npaths: { "/invoices/{id}": { get: { operationId: get_invoice, responses: {} } } }\n',
  )
  const here = text.replaceAll('/opt/mcp', join(folder, 'mcp')).replaceAll('/srv/shared', join(folder, 'shared'))
  const compiled = await compileConfiguration({ text: here, fileName: 'sallyport.yaml' }, folder, join(folder, 'bin'))
  assert.equal(compiled.kind === 'invalid' ? compiled.faults.map(formatFault).join('\n') : '', '')
  assert.ok(compiled.kind === 'compiled')
  assert.deepEqual(new Set(Object.values(compiled.configuration.upstreams).map(({ protocol }) => protocol)), new Set(['http', 'mcp', 'llm', 'a2a']))
  assert.deepEqual(compiled.warnings, [])
})
