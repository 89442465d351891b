import {chmod, mkdir, readFile, rename, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {digestOf} from '#shared/model/digest.ts'
import {LocalStackError} from './local-stack-error.ts'
import {saveState} from './state-file.ts'

const marker = '# drawbridge post-receive hook'
const keptName = 'post-receive.before-drawbridge'

export interface InstallHookOptions {
  /** Path of a bare repository (or of a work tree's .git). */
  repository: string
  webhook: {url: string; secret: string}
  /** Where the hook's target and secret are kept (mode 0600), outside the repository. */
  stateDir: string
}

/**
 * Makes a repository tell the bridge of each push, by a post-receive hook in GitHub's webhook form. Repeatable: a hook of ours
 * is replaced; somebody else's is kept beside it and still run, first and with the same input, and its exit status stands.
 * Returns the repository's URL as webhooks name it. Rejects with `LocalStackError` BAD_INPUT where it is no git repository.
 */
export async function installHook({repository, webhook, stateDir}: InstallHookOptions): Promise<string> {
  await checkRepository(repository)
  const url = repositoryUrl(repository)
  const target = join(stateDir, 'hooks', `${digestOf(url).slice(7, 23)}.json`)
  await saveState(target, {repository: url, ...webhook})

  const hooks = join(repository, 'hooks')
  const hook = join(hooks, 'post-receive')
  await mkdir(hooks, {recursive: true})
  const present = await readFile(hook, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (present !== undefined && !present.includes(marker)) {
    if (await isFile(join(hooks, keptName))) {
      throw new LocalStackError(
        'BAD_INPUT',
        `${hooks} holds both a foreign post-receive and ${keptName}: merge or remove one of them`,
      )
    }
    await rename(hook, join(hooks, keptName))
  }
  const draft = `${hook}.${process.pid}.new`
  await writeFile(draft, hookScript(target))
  await chmod(draft, 0o755)
  await rename(draft, hook)
  return url
}

/** Rejects with `LocalStackError` BAD_INPUT where a hook cannot be put: where there is no bare git repository. */
export async function checkRepository(repository: string): Promise<void> {
  if (await isFile(join(repository, 'HEAD'))) return
  throw new LocalStackError('BAD_INPUT', `${repository} is not a bare git repository: make one with "git init --bare"`)
}

/** The URL under which a local bare repository is known to the bridge. */
export function repositoryUrl(path: string): string {
  return pathToFileURL(path).href
}

function hookScript(target: string): string {
  const sender = join(import.meta.dirname, 'hook', 'send-webhook.js')
  return `#!/bin/sh
${marker}: written by "drawbridge dev", which replaces it at each start. Put a hook of your own into ${keptName}.
updates=$(cat)
status=0
kept=$(dirname "$0")/${keptName}
if [ -x "$kept" ]; then printf '%s\\n' "$updates" | "$kept" "$@" || status=$?; fi
printf '%s\\n' "$updates" | ${quote(process.execPath)} ${quote(sender)} ${quote(target)} || true
exit $status
`
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
