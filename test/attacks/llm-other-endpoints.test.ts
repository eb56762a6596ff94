// The key of the provider opens more than models: files of other agents, batches, fine-tuning, stored conversations, the administration of the account.
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertRefused, chat, LlmGateway } from '../fixtures/llm-gateway.ts'

const others = [
  '/v1/files',
  '/v1/files/file-1/content',
  '/v1/batches',
  '/v1/fine_tuning/jobs',
  '/v1/assistants',
  '/v1/vector_stores',
  '/v1/responses/resp_1',
  '/v1/responses/resp_1/input_items',
  '/v1/conversations/conv_1',
  '/v1/completions',
  '/v1/images/generations',
  '/v1/audio/speech',
  '/v1/organization/admin_api_keys',
  '/v1/messages/batches',
  '/v1/models/use-1-1',
  '/v1',
  '/',
  '/v2/chat/completions',
  '/chat/completions',
  '/v1/chat/completions/',
  '/V1/chat/completions',
  '/v1/Chat/Completions',
  '/v1/chat%2Fcompletions',
  '/v1/%66iles',
  '/v1/chat/completion%73',
  '/v1/chat/completions%00',
  '/v1/chat/completions%2F..%2F..%2Ffiles',
  '/v1/chat/completions;/../files',
  '/v1/chat/completions\\..\\files',
  '/v1/models/../files',
  '/v1/models/%2e%2e/files',
  '/v1//files',
]

test('nothing but the listed endpoints can be reached, however its path is written [T15]', async () => {
  await using gateway = await LlmGateway.start()
  for (const path of others) {
    for (const question of [
      { path, method: 'GET' },
      { path, body: chat('use-1-1') },
    ]) {
      for (const upstream of ['openai', 'anthropic']) {
        const answer = await gateway.ask({ upstream, ...question })
        assert.ok(['access.unknown-target', 'access.malformed', 'edge.malformed'].includes(answer.code ?? ''), `${path}: ${answer.status} ${answer.text}`)
      }
    }
  }
  assertRefused(await gateway.ask({ path: '/v1/messages', body: chat('use-1-1') }), 'access.unknown-target')
  assertRefused(await gateway.ask({ upstream: 'anthropic', body: chat('use-1-1') }), 'access.unknown-target')
  assertRefused(await gateway.ask({ method: 'GET', path: '/v1/chat/completions' }), 'access.method-not-allowed')
  assertRefused(await gateway.ask({ path: '/v1/models', body: {} }), 'access.method-not-allowed')
  assertRefused(await gateway.ask({ upstream: 'api', body: chat('use-1-1') }), 'access.unknown-upstream')
  assert.deepEqual(gateway.provider.asked, [])
})
