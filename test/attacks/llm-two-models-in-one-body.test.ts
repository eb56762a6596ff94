// A body that names two models is judged by one parser and carried out by another: the cheap one is permitted, the dear one answers.
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertRefused, LlmGateway } from '../fixtures/llm-gateway.ts'

const rest = '"messages":[{"role":"user","content":"hi"}],"max_tokens":5'
const bodies = [
  `{"model":"cheap","model":"dear",${rest}}`,
  `{"model":"cheap","mod\\u0065l":"dear",${rest}}`,
  `{"model":"cheap","Model":"dear",${rest}}`,
  `{"model":"cheap","MODEL":"dear",${rest}}`,
  `{"Model":"dear",${rest}}`,
  `{"model":"cheap","models":["dear"],${rest}}`,
  `{"model":"cheap","fallbacks":[{"model":"dear"}],${rest}}`,
  `{"model":["cheap","dear"],${rest}}`,
  `{"model":{"id":"dear"},${rest}}`,
  `{"model":null,${rest}}`,
  `{"model":"",${rest}}`,
  `{"model":"cheap dear",${rest}}`,
  `{"model":"cheap\\u0000dear",${rest}}`,
  `[{"model":"cheap",${rest}}]`,
  `{${rest}}`,
  `{"model":"cheap",${rest}}{"model":"dear"}`,
  `\ufeff{"model":"cheap",${rest}}`,
]

test('a body that can be read as naming another model is refused [T5]', async () => {
  await using gateway = await LlmGateway.start()
  for (const body of bodies) {
    assertRefused(await gateway.ask({ body }), 'access.malformed')
    assertRefused(await gateway.ask({ upstream: 'anthropic', path: '/v1/messages', body }), 'access.malformed')
  }
  const stored = '{"model":"cheap","prompt":{"id":"pmpt_1"},"input":"hi"}'
  assertRefused(await gateway.ask({ path: '/v1/responses', body: stored }), 'access.malformed')
  assert.deepEqual(gateway.provider.asked, [])
})
