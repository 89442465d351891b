// Runs the test suite: `npm test`, or `npm test -- PATH…` for the files below some paths. What the end-to-end tests need and
// takes minutes to make once (the control plane, the renderers) is made first, so that no test's timeout pays for it.
import {spawn} from 'node:child_process'
import {glob} from 'node:fs/promises'
import {availableParallelism} from 'node:os'
import {join, relative} from 'node:path'
import {cacheDirOf} from '#infra/local/cache-dir.ts'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {findRendererTools} from '#infra/local/find-renderer-tools.ts'

const root = join(import.meta.dirname, '..')
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('-'))
const fileTimeoutMilliseconds = 300_000

const files: string[] = []
for await (const file of glob('test/**/*.test.ts', {cwd: root})) {
  const path = relative('.', file)
  if (wanted.length === 0 || wanted.some((prefix) => path.startsWith(relative(root, join(process.cwd(), prefix)))))
    files.push(path)
}
files.sort()
if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(' ')}\n`)
  process.exit(2)
}

const onProgress = (line: string): void => void process.stderr.write(`${line}\n`)
await Promise.all([
  findControlPlane({env: process.env, onProgress}),
  findRendererTools({env: process.env, cacheDir: cacheDirOf(process.env)}),
])

const child = spawn(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    `--test-timeout=${fileTimeoutMilliseconds}`,
    ...flags,
    ...files,
  ],
  {cwd: root, stdio: 'inherit', env: {NODE_COMPILE_CACHE: join(cacheDirOf(process.env), 'compile'), ...process.env}},
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
