import { importOpenApi } from '../../packages/gateway/src/access/http/openapi.ts'
import { testBound } from '../limits/bound.ts'

testBound('gateway/access/http/openapi.ts', 'openApiBytesMax', (size) => {
  const start = '{"openapi":"3.1.0","x":"'
  return importOpenApi(`${start}${'a'.repeat(size - start.length - 2)}"}`, '').kind === 'imported'
})
testBound('gateway/access/http/openapi.ts', 'operationsMax', (size) => {
  const paths = Object.fromEntries(Array.from({ length: size }, (_, index) => [`/a${index}`, { get: {} }]))
  return importOpenApi(JSON.stringify({ openapi: '3.1.0', paths }), '').kind === 'imported'
})
