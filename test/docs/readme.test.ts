// The README's tour, run as it is written: its files are written, its commands run in their order, its claims checked.
import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {delimiter, dirname, join} from 'node:path'
import {test} from 'node:test'
import {promisify} from 'node:util'
import {waitUntil} from '#infra/local/wait-until.ts'
import {referenceTools} from '#test/functions/render/reference-renderers.ts'
import {startCli} from '../cli/run-cli.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
const readme = await readFile(join(root, 'README.md'), 'utf8')
const tour = section('## A tour in five minutes')
const commandTimeoutMilliseconds = 60_000

function section(title: string): string {
  const start = readme.indexOf(title)
  assert.ok(start >= 0, `the README has a section ${title}`)
  const end = readme.indexOf('\n## ', start + title.length)
  return readme.slice(start, end < 0 ? undefined : end)
}

/** The commands of a section: indented lines that begin with a program that the tour uses. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/^ {4}((?:git|npx|npm|kubectl|export) .*)$/gm)].map(([, command = '']) =>
    command.replace(/ {2,}#.*$/, ''),
  )
}

test('the tour of the README runs as it is written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-tour-'))
  const {kubectl} = await referenceTools()
  const bin = join(folder, 'bin')
  await mkdir(bin)
  await symlink(kubectl, join(bin, 'kubectl'))
  // What npx does in the clone, without npm's start on the way of each command.
  await writeFile(
    join(bin, 'npx'),
    `#!/bin/sh\nshift\nexec '${process.execPath}' '${join(root, 'cli', 'drawbridge.js')}' "$@"\n`,
    {mode: 0o755},
  )
  const identity = {
    GIT_AUTHOR_NAME: 'Reader',
    GIT_AUTHOR_EMAIL: 'reader@example.org',
    GIT_COMMITTER_NAME: 'Reader',
    GIT_COMMITTER_EMAIL: 'reader@example.org',
  }
  let env: NodeJS.ProcessEnv = {
    ...process.env,
    ...identity,
    PATH: [bin, process.env.PATH].join(delimiter),
    NO_COLOR: '1',
  }
  const outputs = new Map<string, string>()
  const shell = async (command: string): Promise<string> => {
    const {stdout, stderr} = await run('sh', ['-c', command], {cwd: folder, env, timeout: commandTimeoutMilliseconds})
    outputs.set(command, stdout + stderr)
    return stdout
  }
  const commands = commandsOf(tour)
  const dev = commands.find((command) => command.startsWith('npx drawbridge dev')) ?? ''
  assert.notEqual(dev, '')
  let child: ReturnType<typeof startCli> | undefined
  try {
    for (const command of commands) {
      if (command === dev) {
        child = startCli(dev.split(' ').slice(2), {cwd: folder})
        let printed = ''
        child.stdout.on('data', (chunk) => {
          printed += chunk
        })
        assert.ok(
          await waitUntil(async () => (printed.includes('ready.') ? true : undefined), {timeoutMilliseconds: 60_000}),
          'dev is ready',
        )
      } else if (command.startsWith('export ')) {
        const [name = '', value = ''] = command.slice('export '.length).split('=')
        env = {...env, [name]: value.replace('$PWD', folder)}
      } else {
        const isThere = async (): Promise<true | undefined> => {
          await shell(command)
          // The App object follows on the status by a moment.
          return outputs.get(command)?.startsWith('No resources found') ? undefined : true
        }
        await waitUntil(isThere, {timeoutMilliseconds: 20_000})
      }
      if (command.startsWith('git clone')) {
        for (const [, path = '', text = ''] of tour.matchAll(/```yaml\n# (fleet\/\S+)\n([\s\S]*?)```/g)) {
          await mkdir(dirname(join(folder, path)), {recursive: true})
          await writeFile(join(folder, path), text)
        }
      }
      if (command.includes('push origin HEAD')) {
        const applied = await waitUntil(
          async () => {
            const {stdout} = await run('sh', ['-c', 'npx drawbridge status || true'], {
              cwd: folder,
              env,
              timeout: commandTimeoutMilliseconds,
            })
            return stdout.includes('1 of 1 apps ready') ? true : undefined
          },
          {timeoutMilliseconds: 60_000, everyMilliseconds: 250},
        )
        assert.ok(applied, 'the push arrives')
      }
      if (command.includes(' patch ')) {
        const healed = await waitUntil(
          async () =>
            (await shell("kubectl -n web get configmap greeting -o jsonpath='{.data.text}'")) === 'hello'
              ? true
              : undefined,
          {timeoutMilliseconds: 20_000},
        )
        assert.ok(healed, 'the edit is undone')
      }
    }
    const output = (start: string): string => [...outputs].find(([command]) => command.startsWith(start))?.[1] ?? ''
    assert.match(output('git -C fleet add'), /remote: drawbridge: main 202/)
    assert.match(output('npx drawbridge status'), /1 of 1 apps ready/)
    assert.match(output('kubectl get apps.drawbridge.dev'), /drawbridge-system +web +main@sha1:\S+ +True +Current +0/)
    assert.match(output('npx drawbridge diff'), /app web: 1 unchanged/)
    assert.match(output('npx drawbridge verify'), /valid bundle of app web in cluster dev/)
    assert.match(output('git -C fleet.git log'), /drawbridge\/dev: success/)
  } finally {
    const running = child
    const ended = new Promise<void>((resolve) =>
      running === undefined ? resolve() : running.once('exit', () => resolve()),
    )
    child?.kill('SIGTERM')
    await ended
    await rm(folder, {recursive: true, force: true})
  }
})

test('every command that the README lists is one that there is, with its help', async () => {
  const listed = [...section('## Commands').matchAll(/drawbridge ([a-z]+)/g)].map(([, name = '']) => name)
  assert.ok(listed.length >= 8)
  const launcher = join(root, 'cli', 'drawbridge.js')
  for (const name of listed) {
    const {stdout} = await run(process.execPath, [launcher, name, '--help'], {timeout: commandTimeoutMilliseconds})
    assert.match(stdout, new RegExp(`Usage: drawbridge ${name}`))
  }
})

test('every npm script that the README and CONTRIBUTING name is one that there is', async () => {
  const {scripts} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const text = readme + (await readFile(join(root, 'CONTRIBUTING.md'), 'utf8'))
  for (const [, name = ''] of text.matchAll(/npm (?:run )?(demo|test|check|bench|synth|build|format|dev)\b/g))
    assert.equal(typeof scripts[name], 'string', name)
})

test('every file that the documentation links to is there', async () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/protocol.md', 'docs/aws.md']) {
    const text = await readFile(join(root, page), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
      await assert.doesNotReject(
        () => run('test', ['-e', join(root, dirname(page), target)]),
        `${page} links to ${target}`,
      )
    }
  }
})
