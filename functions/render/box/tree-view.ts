import {mapBounded} from '#shared/async/map-bounded.ts'
import type {SourceTree, TreeEntry} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {RenderError} from '../render-error.ts'
import {resolvePath} from '../resolve-path.ts'
import {type FolderEntry, formatList, formatStat, type Reads, type Stat} from './box-files.ts'

/** The files of one commit as renders see them: symbolic links are followed, and what was looked up is remembered. Methods reject with `RenderError` and `SourceError`. */
export interface TreeView {
  readonly tree: SourceTree
  stat(path: string): Promise<Stat>
  list(path: string): Promise<FolderEntry[]>
  read(path: string, maxBytes: number): Promise<Uint8Array>
  /** Tells whether all that a render asked would be answered the same. */
  matches(reads: Reads): Promise<boolean>
}

const concurrentLinks = 16

/** Opens a commit's tree for renders. */
export function openTreeView(tree: SourceTree): TreeView {
  const stats = new Map<string, Promise<Stat>>()
  const lists = new Map<string, Promise<FolderEntry[]>>()
  const folders = new Map<string, Promise<Map<string, TreeEntry>>>()
  // What is known already is told without a wait: a push that changes nothing asks some ten questions for each app.
  const knownStats = new Map<string, Stat>([['', {type: 'folder', path: ''}]])
  const knownFolders = new Map<string, Map<string, TreeEntry>>()
  const stat = async (path: string): Promise<Stat> => statNow(path) ?? (await remember(stats, path, () => lookUp(path)))
  const entriesOf = (folder: string): Promise<Map<string, TreeEntry>> =>
    remember(folders, folder, async () => {
      const entries = new Map((await tree.list(folder)).map((entry) => [nameOf(entry.path), entry]))
      knownFolders.set(folder, entries)
      return entries
    })

  const statNow = (path: string): Stat | undefined => {
    const known = knownStats.get(path)
    if (known !== undefined) return known
    const slash = path.lastIndexOf('/')
    const above = knownStats.get(path.slice(0, Math.max(slash, 0)))
    if (above?.type !== 'folder') return above && absent
    const found = statIn(knownFolders.get(above.path), path.slice(slash + 1))
    if (found !== undefined) knownStats.set(path, found)
    return found
  }

  /** From the root down: each folder on the way is looked at once, and most questions are about the same ones. */
  const lookUp = async (path: string): Promise<Stat> => {
    let found: Stat = {type: 'folder', path: ''}
    let at = ''
    for (const part of path.split('/')) {
      if (found.type !== 'folder') return absent
      at = at === '' ? part : `${at}/${part}`
      const known = knownStats.get(at)
      found = known ?? statIn(await entriesOf(found.path), part) ?? (await followPath(tree, at))
      if (known === undefined) knownStats.set(at, found)
    }
    return found
  }
  const list = (path: string): Promise<FolderEntry[]> => remember(lists, path, () => listFolder(tree, path))

  const answerOf = ({kind, path}: Question): string | Promise<string> => {
    if (kind === 'clock') return tree.committedAt.toISOString()
    const found = statNow(path)
    return found === undefined ? stat(path).then((late) => answerBy(kind, path, late)) : answerBy(kind, path, found)
  }
  const answerBy = (kind: string, path: string, found: Stat): string | Promise<string> => {
    switch (kind) {
      case 'stat':
        return formatStat(found)
      case 'read':
        return found.type === 'file' ? found.oid : ''
      case 'list':
        return found.type === 'folder' ? list(path).then(formatList) : ''
      default:
        // Written by a newer version: what it means is not known, so it is rendered.
        return ''
    }
  }
  return {
    tree,
    stat,
    list,
    async read(path, maxBytes) {
      const found = await stat(path)
      if (found.type !== 'file') throw new RenderError('PATH_NOT_FOUND', `there is no file ${path}`, {file: path})
      try {
        return await tree.read(found.path, maxBytes)
      } catch (error) {
        if (!isTooLarge(error)) throw error
        const message = `it has ${error.details.size} bytes; a render reads at most ${maxBytes} more`
        throw new RenderError('FILE_TOO_LARGE', message, {file: path}, {cause: error})
      }
    },
    async matches(reads) {
      try {
        for (const question of questionsOf(reads)) {
          const answer = answerOf(question)
          if ((typeof answer === 'string' ? answer : await answer) !== question.answer) return false
        }
        return true
      } catch (error) {
        // Now there is something that no render goes on after: that one shall tell it.
        if (error instanceof RenderError || isTooLarge(error)) return false
        throw error
      }
    },
  }
}

/** Tells whether an error says that something of the repository itself is too large to be read. */
export function isTooLarge(error: unknown): error is SourceError {
  return error instanceof SourceError && error.code === 'FILE_TOO_LARGE'
}

/** One thing that a render asked, and how it was answered. */
interface Question {
  kind: string
  path: string
  answer: string
}

const questions = new WeakMap<Reads, readonly Question[]>()

/** Records are kept from push to push, so each is taken apart once. */
function questionsOf(reads: Reads): readonly Question[] {
  const found = questions.get(reads)
  if (found !== undefined) return found
  const parsed = Object.entries(reads).map(([question, answer]) => {
    const space = question.indexOf(' ')
    return space < 0
      ? {kind: question, path: '', answer}
      : {kind: question.slice(0, space), path: question.slice(space + 1), answer}
  })
  questions.set(reads, parsed)
  return parsed
}

const absent: Stat = {type: 'absent'}

/** What an entry of a folder is; undefined where the folder is not known yet, or the entry is a link to be followed. */
function statIn(folder: Map<string, TreeEntry> | undefined, name: string): Stat | undefined {
  const entry = folder?.get(name)
  if (folder === undefined || entry === undefined) return folder && absent
  return entry.type === 'file' || entry.type === 'folder' ? toStat(entry) : undefined
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function remember<T>(known: Map<string, Promise<T>>, path: string, look: () => Promise<T>): Promise<T> {
  const found = known.get(path) ?? look()
  known.set(path, found)
  return found
}

/** A link that may not be followed is no fault of whoever only lists its folder. */
async function followListed(tree: SourceTree, path: string): Promise<Stat> {
  try {
    return await followPath(tree, path)
  } catch (error) {
    if (error instanceof RenderError) return absent
    throw error
  }
}

async function followPath(tree: SourceTree, path: string): Promise<Stat> {
  const found = await resolvePath(tree, path)
  return found === undefined ? absent : toStat(found)
}

function toStat(found: TreeEntry): Stat {
  return found.type === 'folder' ? {type: 'folder', path: found.path} : {type: 'file', path: found.path, oid: found.oid}
}

async function listFolder(tree: SourceTree, path: string): Promise<FolderEntry[]> {
  const folder = await resolvePath(tree, path)
  if (folder?.type !== 'folder') return []
  const entries = await tree.list(folder.path)
  return mapBounded(entries, concurrentLinks, async (entry): Promise<FolderEntry> => {
    const name = nameOf(entry.path)
    if (entry.type === 'submodule') return {name, stat: {type: 'submodule'}}
    return {name, stat: entry.type === 'symlink' ? await followListed(tree, entry.path) : toStat(entry)}
  })
}
