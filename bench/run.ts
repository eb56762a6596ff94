/**
 * CPU time per request of the gateway, with everything on (identity, rules, two durable entries, forward), beside nginx doing bare mutual TLS where it is installed.
 * For people: the ratio in one run is what counts; it asserts nothing.
 */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import { spawnGateway, wholeGateway } from '../test/fixtures/whole-gateway.ts'

const requests = Number(process.argv[2] ?? 4000)
const inFlight = 32
const rounds = 3

await using whole = await wholeGateway()
await whole.configure([{ id: 'things', match: { upstream: 'api' }, then: 'permit' }])
const { child: gateway, addresses } = await spawnGateway(whole)
await whole.enrolAgent('bot', addresses)
const [cert, key, ca] = await Promise.all(['agent.crt', 'agent.key', 'bundle.crt'].map((file) => readFile(join(whole.folder, 'bot', file), 'utf8')))
const tls = { cert: cert ?? '', key: key ?? '', ca: ca ?? '', servername: 'localhost' }

const candidates: { name: string; origin: string; path: string; pid: () => number[]; tls: object }[] = [
  { name: 'sallyport', origin: `https://${addresses.agents}`, path: '/http/api/things/7', pid: () => [gateway.pid ?? 0], tls },
]
const nginx = await startNginx()
if (nginx) candidates.push(nginx)
else process.stdout.write('nginx is not installed: measuring Sallyport alone\n')

const measured = new Map<string, number[]>()
for (let round = 0; round < rounds; round += 1) {
  for (const { name, origin, path, pid, tls: connect } of candidates) {
    const pool = new Pool(origin, { connections: inFlight, pipelining: 1, connect })
    await load(pool, path, Math.min(500, requests))
    const before = cpuMicroseconds(pid())
    await load(pool, path, requests)
    measured.set(name, [...(measured.get(name) ?? []), (cpuMicroseconds(pid()) - before) / requests])
    await pool.close()
  }
}
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const base = median(measured.get('nginx') ?? [])
for (const [name, values] of measured) {
  const ratio = Number.isNaN(base) ? '' : `  ${(median(values) / base).toFixed(1)} x nginx`
  process.stdout.write(`${name.padEnd(10)} ${median(values).toFixed(0)} µs CPU per request (${values.map((value) => value.toFixed(0)).join(', ')})${ratio}\n`)
}
gateway.kill('SIGTERM')
nginx?.stop()
await new Promise((done) => gateway.once('exit', done))

async function load(pool: Pool, path: string, count: number): Promise<void> {
  let left = count
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left > 0) {
        left -= 1
        const { statusCode, body } = await pool.request({ method: 'GET', path })
        await body.dump()
        if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}`)
      }
    }),
  )
}

/** User and system time so far, from /proc, in the kernel's ticks of 10 ms. */
function cpuMicroseconds(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks * 10_000
}

async function startNginx(): Promise<((typeof candidates)[number] & { stop: () => void }) | undefined> {
  if (spawnSync('nginx', ['-v']).status !== 0) return undefined
  const folder = whole.folder
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  // The agent's own certificate serves for both ends: what is compared is work, not trust.
  await writeFile(join(folder, 'own.crt'), tls.cert)
  await writeFile(join(folder, 'own.key'), tls.key)
  await writeFile(join(folder, 'roots.crt'), tls.ca)
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  access_log ${folder}/access.log;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  keepalive_requests 1000000;
  upstream api { server 127.0.0.1:${whole.apiPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/own.crt; ssl_certificate_key ${folder}/own.key; ssl_client_certificate ${folder}/roots.crt; ssl_verify_client on; ssl_protocols TLSv1.3;
    location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`,
  )
  const master = spawn('nginx', ['-c', join(folder, 'nginx.conf')], { stdio: 'inherit' })
  await wait(1000)
  const workers = (): number[] =>
    spawnSync('pgrep', ['-P', String(master.pid)], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n')
      .map(Number)
  return {
    name: 'nginx',
    origin: `https://127.0.0.1:${port}`,
    path: '/things/7',
    pid: workers,
    tls: { ...tls, rejectUnauthorized: false },
    stop: () => void master.kill('SIGTERM'),
  }
}
