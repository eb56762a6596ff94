import assert from 'node:assert/strict'
import { parseJson, type Json } from '@sallyport/contract'
import fc from 'fast-check'
import { compileCondition, expressionLengthMax } from '../../../packages/gateway/src/policy/condition.ts'
import { questionOf } from '../../../packages/gateway/src/policy/question.ts'
import { readFacts } from '../../../packages/gateway/src/policy/read-paths.ts'
import { callBy, principalOf, streamedCallBy } from '../../fixtures/access-request.ts'
import { bytesOf, type Target } from '../target.ts'

const principal = await principalOf('acme', 'invoice-bot')
const nowMs = Date.parse('2026-03-01T12:00:00.000Z')

const { expression } = fc.letrec<{ expression: string; value: string; leaf: string }>((tie) => ({
  leaf: fc.constantFrom(
    'args.a',
    'args.text',
    'args.list',
    'args["b"].c',
    'args',
    '1',
    '2.5',
    '"x"',
    'b"x"',
    'true',
    'null',
    'context.time',
    'subject.agent',
    'upstream',
    '[1, "x"]',
    '{"a": 1}',
    'i',
    'dyn(1u)',
  ),
  value: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc
      .tuple(tie('value'), fc.constantFrom('+', '-', '*', '/', '%', 'in', '==', '<'), tie('value'))
      .map(([one, operator, other]) => `${one} ${operator} ${other}`),
    fc
      .tuple(fc.constantFrom('size', 'int', 'double', 'string', 'bytes', 'timestamp', 'duration', 'type', 'dyn', '-', '!'), tie('value'))
      .map(([name, value]) => `${name}(${value})`),
    fc.tuple(tie('value'), fc.constantFrom('contains', 'startsWith', 'endsWith'), tie('value')).map(([one, name, other]) => `${one}.${name}(${other})`),
    fc.tuple(tie('value'), tie('value')).map(([one, other]) => `${one}[${other}]`),
  ),
  expression: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(tie('value'), fc.constantFrom('==', '!=', '<', '>=', 'in'), tie('value')).map(([one, operator, other]) => `${one} ${operator} ${other}`),
    fc.tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression')).map(([one, operator, other]) => `(${one}) ${operator} (${other})`),
    fc.tuple(tie('value'), fc.constantFrom('all', 'exists', 'exists_one'), tie('expression')).map(([list, macro, inner]) => `${list}.${macro}(i, ${inner})`),
    fc.constantFrom('has(args.a)', 'args.text.matches("^(a+)+$")', 'args.list.map(i, i).size() > 1'),
  ),
}))

const large = JSON.stringify({ a: 'a'.repeat(900), list: Array.from({ length: 60 }, (_, at) => `x${at}`), text: 'a'.repeat(900), b: { c: 1 } })
const args = fc.oneof(
  fc.constantFrom('{"a":5,"text":"abc","list":[1,"x",null],"b":{"c":[]}}', large, '{"a":"75","__proto__":1}', '[]'),
  fc.json({ maxDepth: 3 }),
)

/**
 * An expression, an empty line, and the arguments of a call. Every expression is either refused with places inside it, or can be asked about every call: it
 * answers yes, no or that it cannot say, the same each time, and in bounded time.
 */
export const conditionTarget: Target = {
  name: 'policy-condition',
  inputs: fc.tuple(expression, args).map(([text, json]) => bytesOf(`${text}\n\n${json}`)),
  words: [
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '!',
    '-',
    '?',
    ':',
    '.',
    ' in ',
    '&&',
    '||',
    'args.',
    'args.text',
    '.matches("',
    'has(',
    '.all(i, ',
    'r"',
    '"""',
    '\\u',
    'b"',
    '1e400',
    '-9223372036854775808',
    '18446744073709551615u',
    '(a|b)*',
    '\xf0\x9f\x98\x80',
    '\n\n',
  ],
  bytesMax: 6000,
  check(input) {
    const [text = '', ...rest] = Buffer.from(input).toString('utf8').split('\n\n')
    const compiled = compileCondition(text)
    if (compiled.kind === 'invalid') {
      assert.ok(compiled.faults.length > 0)
      for (const { offset, message } of compiled.faults) assert.ok(offset >= 0 && offset <= Math.min(text.length, expressionLengthMax) && message !== '')
      return
    }
    const parsed = parseJson(rest.join('\n\n'))
    const given: Json = parsed.kind === 'parsed' ? parsed.value : {}
    for (const request of [callBy(principal, { args: given }), streamedCallBy(principal)].map(questionOf)) {
      const judgement = compiled.condition.evaluate(request, nowMs)
      assert.deepEqual(compiled.condition.evaluate(request, nowMs), judgement)
      if (judgement.kind === 'error') assert.ok(judgement.message.length > 0)
      for (const fact of Object.values(readFacts(compiled.condition.reads, request))) assert.ok(fact === null || typeof fact !== 'object')
    }
  },
}
