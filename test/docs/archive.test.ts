import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { archivedCheckpointPath } from '../../packages/gateway/src/archive/archive-store.ts'
import { blocks, section } from '../fixtures/docs-shell.ts'
import { gatewayRights } from '../fixtures/object-lock-server.ts'

test('the policy in docs/operate/archive.md gives the gateway the rights that it is tested with, and none to delete', async () => {
  const [text = ''] = blocks(await section('docs/operate/archive.md', 'The bucket'), 'json')
  const { Statement } = z.object({ Statement: z.array(z.object({ Effect: z.literal('Allow'), Action: z.array(z.string()) })) }).parse(JSON.parse(text))
  assert.deepEqual(Statement.flatMap(({ Action }) => Action).toSorted(), [...gatewayRights].toSorted())
})

test('it names checkpoints as the archive does', async () => {
  const table = await section('docs/operate/archive.md', 'What is in it')
  for (const [kind, size] of [['checkpoints', 48_211] as const, ['cosigned', 48_190] as const])
    assert.ok(table.includes(`\`${archivedCheckpointPath(kind, size)}\``))
})
