import { assertRefused, get } from '../fixtures/edge-gate.ts'

// RFC 9110 7.6.1: an option of Connection makes the next hop drop the header it names, after it was judged.
assertRefused('edge.malformed', 400, [
  { name: 'Connection: authorization is refused', bytes: get('connection: close, authorization', 'authorization: x') },
  { name: 'Connection: content-length is refused', bytes: get('connection: content-length') },
  { name: 'TE: gzip is refused', bytes: get('te: gzip') },
  { name: 'a Trailer header is refused', bytes: get('trailer: authorization') },
  { name: 'another expectation is refused', bytes: get('expect: 200-ok') },
])
