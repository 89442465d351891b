import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {chmod, mkdir, readdir, symlink, writeFile} from 'node:fs/promises'
import type {IncomingMessage} from 'node:http'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {type TestContext, test} from 'node:test'
import {promisify} from 'node:util'
import {createGitSource, type GitSourceOptions} from '#shared/git/create-git-source.ts'
import type {SourceFetch} from '#shared/git/source-fetch.ts'
import {systemClock} from '#shared/ports/clock.ts'
import type {GitSource, SourceTree} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {createRepository, git, type TestRepository, temporaryFolder} from '../../functions/render/bridge-fixture.ts'
import {type GitServer, startGitServer} from './git-server.ts'

const run = promisify(execFile)
const main = 'refs/heads/main'
/** The servers of these tests. */
const privateNetworks = ['127.0.0.0/8']

interface Place {
  folder: string
  repository: TestRepository
  source: GitSource
}

async function local(t: TestContext, options: Partial<GitSourceOptions> = {}): Promise<Place> {
  const folder = await temporaryFolder(t)
  const repository = await createRepository(folder, 'repo')
  const source = createGitSource({cacheDir: join(folder, 'cache'), clock: systemClock, privateNetworks, ...options})
  return {folder, repository, source}
}

async function served(t: TestContext, options: {token?: string} & Partial<GitSourceOptions> = {}) {
  const place = await local(t, options)
  const server = await startGitServer({root: place.folder, ...(options.token && {token: options.token})})
  t.after(() => server.stop())
  return {...place, server, url: `${server.url}/repo.git`}
}

async function read(tree: SourceTree, path: string): Promise<string> {
  return Buffer.from(await tree.read(path, 1_000_000)).toString()
}

/** All entries, as `git ls-tree -r -t` tells them. */
async function listAll(tree: SourceTree, folder = ''): Promise<string[]> {
  const lines: string[] = []
  for (const entry of await tree.list(folder)) {
    lines.push(`${entry.type} ${entry.executable ? 'x' : '-'} ${entry.oid} ${entry.path}`)
    if (entry.type === 'folder') lines.push(...(await listAll(tree, entry.path)))
  }
  return lines.sort()
}

async function listByGit(repository: TestRepository): Promise<string[]> {
  const modes: Record<string, string> = {
    '040000': 'folder -',
    '100644': 'file -',
    '100755': 'file x',
    '120000': 'symlink -',
  }
  const lines = (await git(repository.workTree, '-c', 'core.quotePath=false', 'ls-tree', '-r', '-t', 'HEAD')).split(
    '\n',
  )
  return lines
    .map((line) => {
      const [, mode = '', oid, path] = /^(\d+) \w+ (\w+)\t(.*)$/.exec(line) ?? []
      return `${modes[mode]} ${oid} ${path}`
    })
    .sort()
}

async function fillRepository(repository: TestRepository): Promise<string> {
  await mkdir(join(repository.workTree, 'bin'), {recursive: true})
  await writeFile(join(repository.workTree, 'bin/run'), '#!/bin/sh\n')
  await chmod(join(repository.workTree, 'bin/run'), 0o755)
  await symlink('../a/one.txt', join(repository.workTree, 'bin/link'))
  return repository.push({'a/one.txt': 'one\n', 'a-b/two.txt': 'two\n', 'a.txt': 'x', 'umläut/ø.txt': 'y\n'})
}

function isSourceError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SourceError && error.code === code
}

test('reads a bare repository in place', async (t) => {
  const {repository, source} = await local(t)
  const commit = await fillRepository(repository)
  assert.deepEqual(await source.resolveRef(repository.url, main), {ref: main, commit})
  const tree = await source.fetchTree(repository.url, commit, main)
  assert.deepEqual(await listAll(tree), await listByGit(repository))
  assert.equal(await read(tree, 'a/one.txt'), 'one\n')
  assert.equal(await read(tree, 'bin/link'), '../a/one.txt')
  assert.equal(await tree.entry('a/none'), undefined)
  assert.equal(await tree.entry('a.txt/none'), undefined)
  assert.deepEqual(await tree.list('a.txt'), [])
  await tree.close()
  await tree.close()
})

test('reads packed objects and refs, and sees what is pushed after it was opened', async (t) => {
  const {repository, source} = await local(t)
  const first = await fillRepository(repository)
  await git(repository.url, 'gc', '-q', '--prune=now')
  assert.deepEqual(await source.resolveRef(repository.url, main), {ref: main, commit: first})
  assert.deepEqual(await listAll(await source.fetchTree(repository.url, first, main)), await listByGit(repository))
  const second = await repository.push({'a/one.txt': 'changed\n'})
  assert.deepEqual(await source.resolveRef(repository.url, main), {ref: main, commit: second})
  await git(repository.url, 'gc', '-q', '--prune=now')
  assert.equal(await read(await source.fetchTree(repository.url, second, main), 'a/one.txt'), 'changed\n')
})

test('reads the repository of a work tree, a linked work tree and a file URL', async (t) => {
  const {repository, source, folder} = await local(t)
  const commit = await fillRepository(repository)
  const linked = join(folder, 'linked')
  await git(repository.workTree, 'worktree', 'add', '-q', '-b', 'other', linked)
  for (const url of [repository.workTree, `file://${repository.url}`, `${repository.url}/`]) {
    assert.deepEqual(await source.resolveRef(url, 'HEAD'), {ref: main, commit}, url)
  }
  assert.deepEqual(await source.resolveRef(linked, 'HEAD'), {ref: 'refs/heads/other', commit})
  assert.deepEqual(await listAll(await source.fetchTree(linked, commit, 'HEAD')), await listByGit(repository))
})

test('takes no other branch for HEAD where the one that it names was deleted, or never pushed', async (t) => {
  const {repository, source} = await local(t)
  const commit = await repository.push({a: 'a'})
  await repository.push({a: 'wip'}, 'wip')
  assert.deepEqual(await source.resolveRef(repository.url, 'HEAD'), {ref: main, commit})
  await git(repository.url, 'update-ref', '-d', main)
  assert.equal(await source.resolveRef(repository.url, 'HEAD'), 'absent')
  await git(repository.url, 'update-ref', main, commit)
  assert.deepEqual(await source.resolveRef(repository.url, 'HEAD'), {ref: main, commit})
  await git(repository.url, 'symbolic-ref', 'HEAD', 'refs/heads/master')
  assert.equal(await source.resolveRef(repository.url, 'HEAD'), 'absent')
})

test('follows an annotated tag to its commit, from disk and over HTTP', async (t) => {
  const {repository, source, url} = await served(t)
  const commit = await repository.push({a: 'a'})
  await git(repository.workTree, 'tag', '-a', 'v1', '-m', 'one')
  await git(repository.workTree, 'push', '-q', 'origin', 'v1')
  const tag = 'refs/tags/v1'
  assert.deepEqual(await source.resolveRef(repository.url, tag), {ref: tag, commit})
  assert.deepEqual(await source.resolveRef(url, tag), {ref: tag, commit})
})

test('fetches one commit without history from a smart HTTP server', async (t) => {
  const {repository, source, url, folder} = await served(t)
  await repository.push({'old.txt': 'old'})
  const commit = await fillRepository(repository)
  assert.deepEqual(await source.resolveRef(url, main), {ref: main, commit})
  assert.deepEqual(await source.resolveRef(url, 'HEAD'), {ref: main, commit})
  assert.equal(await source.resolveRef(url, 'refs/heads/mai'), 'absent')
  const tree = await source.fetchTree(url, commit, main)
  assert.deepEqual(await listAll(tree), await listByGit(repository))
  assert.equal(await read(tree, 'umläut/ø.txt'), 'y\n')
  await tree.close()
  assert.deepEqual(await readdir(join(folder, 'cache')), [])
})

test('says that a commit is gone after a forced push', async (t) => {
  const {repository, source, url, folder} = await served(t)
  await repository.push({a: '1'})
  const gone = await repository.push({a: '2'})
  await git(repository.workTree, 'reset', '-q', '--hard', 'HEAD~1')
  await repository.push({a: '3'})
  await git(repository.url, 'reflog', 'expire', '--expire=now', '--all')
  await git(repository.url, 'gc', '-q', '--prune=now')
  await assert.rejects(source.fetchTree(url, gone, main), isSourceError('COMMIT_GONE'))
  await assert.rejects(source.fetchTree(repository.url, gone, main), isSourceError('COMMIT_GONE'))
  assert.deepEqual(await readdir(join(folder, 'cache')), [])
})

test('sends a token to the repositories that its prefix names and to no other', async (t) => {
  const token = 'hunter2hunter2'
  const {repository, server, url, folder} = await served(t, {token})
  const commit = await fillRepository(repository)
  const create = (name: string, prefixes: string[]) =>
    createGitSource({
      cacheDir: join(folder, name),
      clock: systemClock,
      privateNetworks,
      tokens: prefixes.map((prefix) => ({prefix, token})),
    })
  const withToken = create('c1', [`${server.url}/repo`])
  const tree = await withToken.fetchTree(url, commit, main)
  assert.equal(await read(tree, 'a.txt'), 'x')
  const elsewhere = create('c2', [
    'https://git.example.com',
    `${server.url}/rep`,
    `${server.url}/repo/sub`,
    'https://127.0.0.1',
  ])
  server.requests.length = 0
  await assert.rejects(elsewhere.resolveRef(url, main), (error) => {
    assert.ok(error instanceof SourceError)
    assert.equal(error.code, 'ACCESS_DENIED')
    return !error.message.includes(token)
  })
  assert.ok(server.requests.every(({authorization}) => authorization === undefined))
})

test('tells failures of a git host apart', async (t) => {
  const {source, server, url} = await served(t)
  await assert.rejects(source.resolveRef(`${server.url}/none.git`, main), isSourceError('NOT_FOUND'))
  server.intercept = (_, response) => {
    response.writeHead(503).end()
    return true
  }
  await assert.rejects(source.resolveRef(url, main), isSourceError('UNAVAILABLE'))
  await server.stop()
  await assert.rejects(source.resolveRef(url, main), isSourceError('UNAVAILABLE'))
  await assert.rejects(source.resolveRef('/nonexistent/repo.git', main), isSourceError('NOT_FOUND'))
  for (const bad of ['ftp://host/x', 'https://user:hunter2@host/o/r', 'nonsense', '', 'https://host']) {
    await assert.rejects(source.resolveRef(bad, main), (error) => {
      assert.ok(error instanceof SourceError && error.code === 'UNSUPPORTED_URL', bad)
      return !error.message.includes('hunter2')
    })
  }
})

test('refuses a file over the limit, loose and packed', async (t) => {
  const {repository, source} = await local(t)
  const commit = await repository.push({'big.bin': Buffer.alloc(3_000_000, 'x')})
  const loose = await source.fetchTree(repository.url, commit, main)
  await assert.rejects(loose.read('big.bin', 1_000_000), isSourceError('FILE_TOO_LARGE'))
  await git(repository.url, 'gc', '-q')
  const packed = await source.fetchTree(repository.url, commit, main)
  await assert.rejects(packed.read('big.bin', 1_000_000), isSourceError('FILE_TOO_LARGE'))
})

interface GithubOptions {
  /** What the API says is the commit's tree. */
  treeId?: string
  status?: number
}

/** Answers GitHub's two endpoints beside git's own protocol on the same host, as GitHub Enterprise Server does. */
async function serveGithub(t: TestContext, options: GithubOptions = {}) {
  const place = await served(t)
  const commit = await fillRepository(place.repository)
  const treeId = options.treeId ?? (await git(place.repository.workTree, 'rev-parse', 'HEAD^{tree}'))
  const archive = await archiveOf(place.repository, commit)
  interceptGithub(place.server, {commit, treeId, archive, status: options.status ?? 200})
  const source = createGitSource({
    cacheDir: join(place.folder, 'cache'),
    clock: systemClock,
    githubApi: `${place.server.url}/api/v3`,
    privateNetworks,
    tokens: [{prefix: place.server.url, token: 'api-token'}],
  })
  return {...place, source, commit, url: `${place.server.url}/repo`}
}

async function archiveOf({workTree}: TestRepository, commit: string): Promise<Buffer> {
  const args = ['archive', '--format=tar.gz', '--prefix=o-r-abc/', commit]
  const {stdout} = await run('git', args, {cwd: workTree, encoding: 'buffer', maxBuffer: 100_000_000})
  return stdout
}

function interceptGithub(
  server: GitServer,
  answer: {commit: string; treeId: string; archive: Buffer; status: number},
): void {
  server.intercept = (path, response) => {
    if (path === `/api/v3/repos/repo/git/commits/${answer.commit}`) {
      response.end(JSON.stringify({sha: answer.commit, tree: {sha: answer.treeId}}))
      return true
    }
    if (path === `/api/v3/repos/repo/tarball/${answer.commit}`) {
      response.writeHead(302, {location: '/codeload'}).end()
      return true
    }
    if (path !== '/codeload') return false
    response.writeHead(answer.status).end(answer.archive)
    return true
  }
}

test("reads a GitHub repository by its archive, with git's own object ids", async (t) => {
  const {source, url, commit, repository, server, folder} = await serveGithub(t)
  const tree = await source.fetchTree(url, commit, main)
  assert.deepEqual(await listAll(tree), await listByGit(repository))
  assert.equal(await read(tree, 'umläut/ø.txt'), 'y\n')
  assert.equal(await read(tree, 'bin/link'), '../a/one.txt')
  await assert.rejects(tree.read('a/one.txt', 1), isSourceError('FILE_TOO_LARGE'))
  assert.ok(!server.requests.some(({path}) => path.includes('git-upload-pack')))
  await tree.close()
  await tree.close()
  assert.deepEqual(await readdir(join(folder, 'cache')), [])
})

for (const [what, options] of [
  ['differs from the commit', {treeId: '0'.repeat(40)}],
  ['cannot be had', {status: 502}],
] as const) {
  test(`fetches by git's own protocol where the archive ${what}`, async (t) => {
    const {source, url, commit, repository, server, folder} = await serveGithub(t, options)
    // git's own backend serves the folder repo.git; a GitHub host answers without the suffix too.
    await symlink(repository.url, join(folder, 'served'))
    const tree = await source.fetchTree(`${url}.git`, commit, main)
    assert.deepEqual(await listAll(tree), await listByGit(repository))
    assert.ok(server.requests.some(({path}) => path.includes('git-upload-pack')))
    await tree.close()
    assert.deepEqual(await readdir(join(folder, 'cache')), [])
  })
}

test('an archive that is no gzip, or cut short, is done without', async (t) => {
  const {source, url, commit, repository, server} = await serveGithub(t)
  const whole = await archiveOf(repository, commit)
  const treeId = await git(repository.workTree, 'rev-parse', 'HEAD^{tree}')
  for (const archive of [Buffer.from('not an archive'), whole.subarray(0, whole.length - 20)]) {
    interceptGithub(server, {commit, treeId, archive, status: 200})
    const tree = await source.fetchTree(`${url}.git`, commit, main)
    assert.deepEqual(await listAll(tree), await listByGit(repository))
    await tree.close()
  }
})

test('sends no token in the clear, but to this machine', async (t) => {
  const folder = await temporaryFolder(t)
  const sent: (string | undefined)[] = []
  const fetchSource: SourceFetch = async (url, {authorization}) => {
    sent.push(authorization)
    const body = Readable.from([]) as IncomingMessage
    return {url, status: 404, statusText: 'Not Found', headers: {}, body}
  }
  const prefixes = ['https://github.com', 'http://github.com', 'http://git.example.com', 'https://git.example.com']
  const tokens = prefixes.map((prefix) => ({prefix, token: 'hunter2'}))
  const source = createGitSource({cacheDir: folder, clock: systemClock, fetchSource, tokens})
  for (const host of ['http://github.com', 'http://git.example.com'])
    await assert.rejects(source.resolveRef(`${host}/o/r`, main), isSourceError('NOT_FOUND'))
  assert.ok(sent.length >= 2 && sent.every((authorization) => authorization === undefined))
  sent.length = 0
  await assert.rejects(source.resolveRef('https://github.com/o/r', main), isSourceError('NOT_FOUND'))
  assert.ok(sent.length >= 1 && sent.every((authorization) => authorization !== undefined))
})

test('says of a repository in a form that it cannot read that it cannot, not that it is empty', async (t) => {
  const {source, folder, repository} = await local(t)
  const sha256 = join(folder, 'sha256.git')
  await git(folder, 'init', '-q', '--bare', '--object-format=sha256', sha256)
  await assert.rejects(source.resolveRef(sha256, main), /uses sha256, which cannot be read/)
  const borrowing = join(folder, 'borrowing.git')
  await repository.push({'a.txt': 'x'})
  await git(folder, 'clone', '-q', '--bare', '--shared', repository.url, borrowing)
  await assert.rejects(source.resolveRef(borrowing, main), isSourceError('UNSUPPORTED_URL'))
})
