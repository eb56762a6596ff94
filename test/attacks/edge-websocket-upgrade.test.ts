import { assertRefused, get } from '../fixtures/edge-gate.ts'

// A tunnel that a lenient gateway believes in carries calls that nobody judges.
assertRefused('edge.upgrade-refused', 501, [
  {
    name: 'a WebSocket is refused',
    bytes: get('connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13', 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=='),
  },
  { name: 'an upgrade to HTTP/2 is refused', bytes: get('connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMAAABk') },
  { name: 'an upgrade header alone is refused', bytes: get('upgrade: websocket') },
  { name: 'CONNECT is refused', bytes: 'CONNECT upstream.test:443 HTTP/1.1\r\nhost: upstream.test:443\r\n\r\n' },
])
