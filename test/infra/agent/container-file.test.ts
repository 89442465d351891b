import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {cp, mkdtemp, readFile, rm, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join, relative} from 'node:path'
import {after, before, test} from 'node:test'
import {MEMORY} from '#infra/agent/agent-install.ts'
import {type Bundle, buildBundles} from '#infra/build-bundles.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const containerFile = join(root, 'infra', 'agent', 'Containerfile')

let folder: string
let copy: string
let instructions: {name: string; words: string}[]
let bundle: Bundle

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-container-'))
  const lines = (await readFile(containerFile, 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  instructions = lines.map((line) => ({name: line.split(' ', 1)[0] ?? '', words: line.slice(line.indexOf(' ') + 1)}))
  // A copy, so that nobody edits the sources between two builds.
  copy = join(folder, 'sources')
  for (const name of ['agent', 'shared', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), join(copy, name), {recursive: true})
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  const [built] = await buildBundles({root: copy, outDir: join(folder, 'dist'), only: ['agent']})
  assert.ok(built !== undefined)
  bundle = built
})
after(() => rm(folder, {recursive: true, force: true}))

const wordsOf = (name: string): string[] =>
  instructions.filter((instruction) => instruction.name === name).map(({words}) => words)

/** With what the image starts Node, before the file. */
const nodeFlags = (): string[] => JSON.parse(wordsOf('ENTRYPOINT')[0] ?? '[]').slice(1, -1)

test('the container file builds on one image, by a digest that has to be given', () => {
  assert.deepEqual(wordsOf('FROM'), ['${NODE_IMAGE}@${NODE_IMAGE_DIGEST}'])
  assert.deepEqual(wordsOf('ARG'), ['NODE_IMAGE=gcr.io/distroless/nodejs24-debian12', 'NODE_IMAGE_DIGEST'])
})

test('the container file runs nothing while it builds and fetches nothing', () => {
  const allowed = new Set(['ARG', 'FROM', 'COPY', 'USER', 'WORKDIR', 'ENV', 'ENTRYPOINT'])
  assert.deepEqual(
    instructions.filter(({name}) => !allowed.has(name)),
    [],
  )
  assert.deepEqual(wordsOf('USER'), ['65532:65532'])
})

test('the container file copies what the build writes, and nothing else gets to the builder', async () => {
  assert.deepEqual(wordsOf('COPY'), ['--chown=0:0 --chmod=0444 dist/agent/main.mjs /app/main.mjs'])
  assert.equal(relative(folder, bundle.file), join('dist', 'agent', 'main.mjs'))
  const sent = (await readFile(`${containerFile}.dockerignore`, 'utf8')).trim().split('\n')
  assert.deepEqual(sent, ['*', '!dist/agent/main.mjs'])
  const [program, ...args] = JSON.parse(wordsOf('ENTRYPOINT')[0] ?? '[]')
  assert.equal(program, '/nodejs/bin/node')
  assert.equal(args.at(-1), '/app/main.mjs')
})

test('the same sources make the same bundle, wherever they are', async () => {
  const elsewhere = join(folder, 'elsewhere')
  await cp(copy, elsewhere, {recursive: true, verbatimSymlinks: true})
  const [again] = await buildBundles({root: elsewhere, outDir: join(folder, 'again', 'dist'), only: ['agent']})
  assert.ok(again !== undefined)
  assert.ok((await readFile(bundle.file)).equals(await readFile(again.file)))
})

test('the bundle starts alone, as the image starts it and under the heap limit of the Deployment, and says what it lacks', async () => {
  const result = await new Promise<{code: unknown; stderr: string}>((resolve) => {
    const env = {NODE_OPTIONS: `--max-old-space-size=${MEMORY.oldSpaceMebibytes}`}
    execFile(process.execPath, [...nodeFlags(), bundle.file], {cwd: folder, env, timeout: 30_000}, (error, _, stderr) =>
      resolve({code: error?.code ?? 0, stderr}),
    )
  })
  assert.equal(result.code, 1)
  assert.match(result.stderr, /^the agent cannot start:\n {2}CLUSTER_NAME: /)
})

// CEL is a quarter of it, the clients of S3 and SQS another.
test('the bundle is small, for it brings only what a pod uses', async () => {
  assert.ok(bundle.bytes < 1.95 * 1024 ** 2, `${bundle.bytes} bytes`)
  const {sources}: {sources: string[]} = JSON.parse(await readFile(`${bundle.file}.map`, 'utf8'))
  const packages = sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? [])
  const others = packages.filter((name) => !/^@(aws-sdk|aws|smithy|bufbuild)\//.test(name))
  assert.deepEqual([...new Set(others)].sort(), ['prom-client', 'yaml', 'zod'])
  const clients = new Set(packages.filter((name) => name.startsWith('@aws-sdk/client-')))
  assert.deepEqual([...clients].sort(), ['@aws-sdk/client-s3', '@aws-sdk/client-sqs'])
  assert.deepEqual(
    sources.filter((source) =>
      /zod\/.*\/locales\/(?!en\.)|prom-client\/lib\/(?:cluster|pushgateway|metrics\/)/.test(source),
    ),
    [],
  )
})

test('the heap, young objects and Node itself fit into the memory of the container', () => {
  const [, semiSpace] = /^--max-semi-space-size=(\d+)$/.exec(nodeFlags()[0] ?? '') ?? []
  const young = 3 * Number(semiSpace)
  const node = 64
  assert.ok(MEMORY.oldSpaceMebibytes + young + node <= MEMORY.limitMebibytes)
})
