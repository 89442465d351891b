import {mkdir, readFile, rename, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'

import type {z} from 'zod'

import {LocalStackError} from './local-stack-error.ts'

/** Reads what `saveState` wrote, or undefined if nothing has. Throws BAD_INPUT naming the file if it is something else. */
export async function loadState<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    // Without the cause: a parser's message may quote the file, and some of these files hold credentials.
    throw new LocalStackError('BAD_INPUT', `${file} is damaged: remove the directory it is in to start afresh`)
  }
}

/** Writes JSON that only this user can read; a crash leaves the old or the new content. */
export async function saveState(file: string, state: unknown): Promise<void> {
  await mkdir(dirname(file), {recursive: true, mode: 0o700})
  const draft = `${file}.${process.pid}.new`
  await writeFile(draft, JSON.stringify(state, null, 2), {mode: 0o600})
  await rename(draft, file)
}
