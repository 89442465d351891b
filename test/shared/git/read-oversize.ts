// Reads a file of a repository, or of an archive of one, and prints how that ended and how much memory the process took at most.
// Usage: node read-oversize.ts repository|archive PATH-OR-URL COMMIT FILE [CACHE]
import {createReadStream} from 'node:fs'
import {dirname, join} from 'node:path'
import {Readable} from 'node:stream'
import {readArchive} from '#shared/git/archive-tree.ts'
import {createGitSource} from '#shared/git/create-git-source.ts'
import {systemClock} from '#shared/ports/clock.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'

const [kind = '', path = '', commit = '', file = '', cacheDir = join(dirname(path), 'cache')] = process.argv.slice(2)
const options = {cacheDir, clock: systemClock, privateNetworks: ['127.0.0.0/8']}

async function open(): Promise<SourceTree> {
  if (kind === 'repository') return createGitSource(options).fetchTree(path, commit, 'HEAD')
  const stream = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>
  return (await readArchive(stream, {commit, cacheDir})).tree
}

const tree = await open()
const outcome = await tree.read(file, 10 * 1024 * 1024).then(
  () => 'read',
  (error: unknown) => (error instanceof SourceError ? error.code : String(error)),
)
await tree.close()
process.stdout.write(JSON.stringify({outcome, mebibytes: Math.round(process.resourceUsage().maxRSS / 1024)}))
