import { assertRefused, post } from '../fixtures/edge-gate.ts'

// The CL.TE and TE.CL classes of request smuggling, RFC 9112 11.2.
assertRefused('edge.malformed', 400, [
  { name: 'a length before chunks is refused', bytes: post(['content-length: 30', 'transfer-encoding: chunked'], '0\r\n\r\nGET /http/admin HTTP/1.1\r\n\r\n') },
  { name: 'a length after chunks is refused', bytes: post(['transfer-encoding: chunked', 'content-length: 4'], '5c\r\n') },
])
