// Runs the test suite: `npm test`, or `npm test -- PATH…` for the files below some paths. What the end-to-end tests need and
// takes minutes to make once (the control plane, the renderers) is made first, so that no test's timeout pays for it.
import {spawn} from 'node:child_process'
import {glob, mkdtemp, readFile, rm} from 'node:fs/promises'
import {availableParallelism, tmpdir} from 'node:os'
import {join, relative} from 'node:path'
import {pathToFileURL} from 'node:url'
import {cacheDirOf} from '#infra/local/cache-dir.ts'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {startCluster} from '#infra/local/start-cluster.ts'
import {SHARED_CLUSTER_VARIABLE} from './agent/open-test-cluster.ts'

const root = join(import.meta.dirname, '..')
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('-'))
const fileTimeoutMilliseconds = 300_000
const suiteTimeoutMilliseconds = 45 * 60_000

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
const tools = await findControlPlane({env: process.env, onProgress})
// One after the other: each build takes all cores, and much memory.
await findRenderers({env: process.env, onProgress})

// Starting a control plane takes seconds, so the files that can share one do.
const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
const sharing = texts.filter((text) => text.includes('openTestCluster()')).length
const stateDir = sharing > 1 ? await mkdtemp(join(tmpdir(), 'drawbridge-test-cluster-')) : undefined
const cluster = stateDir === undefined ? undefined : await startCluster({tools, stateDir, name: 'dev'})

const reportDir = await mkdtemp(join(tmpdir(), 'drawbridge-test-report-'))
const slowestFiles = join(reportDir, 'slowest-files')

const child = spawn(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${pathToFileURL(join(import.meta.dirname, 'slowest-files.ts'))}`,
    `--test-reporter-destination=${slowestFiles}`,
    // The tests of the agent wait for others half of their time.
    `--test-concurrency=${availableParallelism() + 1}`,
    `--test-timeout=${fileTimeoutMilliseconds}`,
    ...flags,
    ...files,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      NODE_COMPILE_CACHE: join(cacheDirOf(process.env), 'compile'),
      ...process.env,
      ...(cluster === undefined ? {} : {[SHARED_CLUSTER_VARIABLE]: cluster.kubeconfigFile}),
    },
  },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
// A file that neither ends nor fails must not hold up whoever waits for the suite.
const watchdog = setTimeout(() => {
  process.stderr.write(`the tests did not end within ${suiteTimeoutMilliseconds / 60_000} minutes\n`)
  child.kill('SIGKILL')
}, suiteTimeoutMilliseconds)
child.on('exit', async (code) => {
  clearTimeout(watchdog)
  process.exitCode = code ?? 1
  process.stdout.write(await readFile(slowestFiles, 'utf8').catch(() => ''))
  await rm(reportDir, {recursive: true, force: true})
  await cluster?.stop()
  if (stateDir !== undefined) await rm(stateDir, {recursive: true, force: true})
})
