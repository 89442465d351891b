import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Command} from 'commander'
import {createEventLog} from '#infra/local/event-log.ts'
import {createGitWorkspace} from '#infra/local/git-workspace.ts'
import {startStack} from '#infra/local/start-stack.ts'
import {openClusterView} from './demo/cluster-view.ts'
import {createNarrator} from './demo/narrator.ts'
import {tellStory} from './demo/tell-story.ts'
import {formatLogLine} from './format-log-line.ts'
import type {CliIo, ExitStatus} from './io.ts'

const sampleFleet = join(import.meta.dirname, '..', 'infra', 'local', 'sample-fleet')
const clusters = ['dev', 'prod'] as const

/** Adds `drawbridge demo`: exit status 0 where every step was seen to be true in the clusters, 1 where one was not. */
export function addDemoCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('demo')
    .description(
      'a git push reaches two real API servers through the bridge; then a change, drift, a prune, a tampered bundle and a broken commit',
    )
    .option('--keep', 'leave the state directory behind, to look at it')
    .action(async (options: {keep?: boolean}) => {
      const folder = await mkdtemp(join(tmpdir(), 'drawbridge-demo-'))
      const narrator = createNarrator(io)
      try {
        await runDemo(io, folder, narrator)
      } finally {
        if (options.keep === true) io.err(`kept ${folder}\n`)
        else await rm(folder, {recursive: true, force: true})
      }
      done(narrator.failures() === 0 ? 0 : 1)
    })
}

async function runDemo(io: CliIo, folder: string, narrator: ReturnType<typeof createNarrator>): Promise<void> {
  const began = performance.now()
  const workspace = await createGitWorkspace(folder, sampleFleet)
  const events = createEventLog()
  narrator.title('Starting two Kubernetes control planes, S3, SQS, the functions and an agent per cluster')
  const stack = await startStack({
    stateDir: join(folder, 'state'),
    clusters,
    repositories: [workspace.bare],
    env: io.env,
    onEvent: events.record,
    log: (line) => narrator.progress(formatLogLine(line)),
    onProgress: (line) => narrator.progress(line),
    agentEnv: {POLL_INTERVAL_SECONDS: '2'},
    signal: io.signal,
  })
  try {
    io.signal.throwIfAborted()
    const views = new Map(
      await Promise.all(
        [...stack.kubeconfigs].map(async ([name, file]) => [name, await openClusterView(file)] as const),
      ),
    )
    narrator.note(`ready after ${((performance.now() - began) / 1000).toFixed(1)} s`)
    const interrupted = new Promise<never>((_, reject) =>
      io.signal.addEventListener('abort', () => reject(new Error('interrupted')), {once: true}),
    )
    await Promise.race([tellStory({stack, workspace, events, views, narrator}), interrupted])
    narrator.summary(performance.now() - began)
    for (const view of views.values()) view.close()
  } finally {
    await stack.stop()
  }
}
