/** What stands behind every candidate: an HTTP server, a process of its own. Tells its port to whoever started it. */
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { eventBytes, events, record } from './payloads.ts'

const event = Buffer.from(`data: ${'e'.repeat(eventBytes - 'data: \n\n'.length)}\n\n`)
const blobs = new Map<string, Buffer>()

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  request.resume().on('end', () => void answer(request.url ?? '', response))
})
server.listen(0, '127.0.0.1', 1024, () => {
  const address = server.address()
  if (typeof address === 'object') process.send?.(address?.port)
})
process.on('disconnect', () => process.exit())

async function answer(url: string, response: ServerResponse): Promise<void> {
  const [, what = '', which = ''] = url.split('/')
  switch (what) {
    case 'blobs': {
      const blob = blobs.get(which) ?? Buffer.alloc(Number(which), 'b')
      blobs.set(which, blob)
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': blob.length }).end(blob)
      return
    }
    case 'events':
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
      for (let sent = 0; sent < events; sent += 1) {
        response.write(event)
        await wait(2) // so that each event is passed on by itself
      }
      response.end()
      return
    default:
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': record.length }).end(record)
  }
}
