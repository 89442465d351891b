import {spawn} from 'node:child_process'
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'

/** A smart HTTP git server on loopback: git's own http-backend behind Node's HTTP server. */
export interface GitServer {
  url: string
  /** Requests so far: method, path and whether a credential came along. */
  requests: {method: string; path: string; authorization: string | undefined}[]
  /** Answers these instead of the backend, where it gives one. */
  intercept: (path: string, response: ServerResponse) => boolean
  stop(): Promise<void>
}

export async function startGitServer(options: {root: string; token?: string}): Promise<GitServer> {
  const state: GitServer = {url: '', requests: [], intercept: () => false, stop: async () => undefined}
  const server = createServer((request, response) => {
    const {method = 'GET', url: path = '/'} = request
    const {authorization} = request.headers
    state.requests.push({method, path, authorization})
    if (state.intercept(path, response)) return
    const wanted = options.token === undefined ? undefined : basic(options.token)
    if (wanted !== undefined && authorization !== wanted) {
      response.writeHead(401, {'www-authenticate': 'Basic realm="git"'}).end('no')
      return
    }
    serve(request, response, options.root)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  state.url = `http://127.0.0.1:${address.port}`
  state.stop = () =>
    new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return state
}

function basic(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`
}

// CGI, RFC 3875: the request in environment variables and on stdin, headers and body on stdout.
function serve(request: IncomingMessage, response: ServerResponse, root: string): void {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: header(request, 'git-protocol'),
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: header(request, 'content-type'),
      HTTP_CONTENT_ENCODING: header(request, 'content-encoding'),
      REMOTE_ADDR: '127.0.0.1',
    },
  })
  request.pipe(child.stdin)
  child.stdin.on('error', () => response.destroy())
  const parts: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  child.on('close', () => {
    const output = Buffer.concat(parts)
    const end = output.indexOf('\r\n\r\n')
    const headers = output.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n')
    let status = 200
    for (const line of headers) {
      const [name = '', value = ''] = line.split(/: (.*)/s)
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
      else if (name !== '') response.setHeader(name, value)
    }
    response.writeHead(end < 0 ? 500 : status).end(output.subarray(end + 4))
  })
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name]
  return typeof value === 'string' ? value : ''
}
