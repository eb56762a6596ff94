import { fork, spawn, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ended, freePort, listening, portOf, type Candidate, type Ground } from './candidate.ts'

/** The bare proxy: mutual TLS, connections kept on both sides, an access log. Undefined where nginx is not installed. */
export async function startNginx(ground: Ground): Promise<Candidate | undefined> {
  return start('nginx', ground, '')
}

/** What people build by hand: nginx asks a small policy service about each request. It sees no body, and no log is durable. */
export async function startNginxWithPolicy(ground: Ground): Promise<Candidate | undefined> {
  if (!isInstalled()) return undefined
  const service = fork(join(import.meta.dirname, 'policy-program.ts'))
  const port = await portOf(service)
  const nginx = await start(
    'nginx, auth_request to Node',
    ground,
    `auth_request /policy;`,
    `upstream policy { server 127.0.0.1:${port}; keepalive 64; }`,
    `location = /policy {
       internal; proxy_pass http://policy; proxy_http_version 1.1; proxy_set_header Connection "";
       proxy_pass_request_body off; proxy_set_header Content-Length "";
       proxy_set_header X-Agent $ssl_client_fingerprint; proxy_set_header X-Method $request_method; proxy_set_header X-Target $request_uri;
     }`,
  )
  if (!nginx) return undefined
  return {
    ...nginx,
    processes: [...nginx.processes, service.pid ?? 0],
    stop: async () => {
      await nginx.stop()
      await ended(service)
    },
  }
}

async function start(name: string, { folder, upstreamPort, tls }: Ground, question: string, upstreams = '', locations = ''): Promise<Candidate | undefined> {
  if (!isInstalled()) return undefined
  const port = await freePort()
  const file = (ending: string): string => join(folder, `nginx-${port}.${ending}`)
  await writeFile(file('crt'), tls.cert)
  await writeFile(file('key'), tls.key, { mode: 0o600 })
  await writeFile(file('roots'), tls.ca)
  await writeFile(
    file('conf'),
    `daemon off; worker_processes 1; pid ${file('pid')}; error_log ${file('error')};
events { worker_connections 4096; }
http {
  access_log ${file('log')};
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  proxy_max_temp_file_size 0; keepalive_requests 100000000; keepalive_timeout 600s;
  upstream api { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 100000000; }
  ${upstreams}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${file('crt')}; ssl_certificate_key ${file('key')}; ssl_client_certificate ${file('roots')}; ssl_verify_client on; ssl_verify_depth 4;
    ssl_protocols TLSv1.3;
    location / { ${question} proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; }
    ${locations}
  }
}`,
  )
  const master = spawn('nginx', ['-c', file('conf'), '-e', file('error')], { stdio: 'inherit' })
  await listening(port)
  return { name, origin: `https://127.0.0.1:${port}`, prefix: '', tls, processes: [master.pid ?? 0], stop: () => ended(master) }
}

function isInstalled(): boolean {
  return spawnSync('nginx', ['-v']).status === 0
}
