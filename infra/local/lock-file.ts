import {readFileSync} from 'node:fs'
import {link, mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'

import * as z from 'zod'

const holderSchema = z.object({pid: z.number().int().positive(), started: z.string()})
type Holder = z.infer<typeof holderSchema>

/** A lock that this process holds until `release` (safe to call twice). */
export interface HeldLock {
  release(): Promise<void>
}

/**
 * Takes the lock that `file` stands for, or returns the process id of its living holder.
 * A lock whose holder died, even by SIGKILL, is taken over; on Linux a reused process id is told apart by its start time.
 */
export async function takeLock(file: string): Promise<HeldLock | {heldBy: number}> {
  await mkdir(dirname(file), {recursive: true})
  const self: Holder = {pid: process.pid, started: startTime(process.pid)}
  for (let attempt = 0; attempt < 10; attempt++) {
    if (await createWhole(file, JSON.stringify(self))) return {release: () => releaseIfOurs(file, self)}
    const holder = await readHolder(file)
    if (holder !== undefined && startTime(holder.pid) === holder.started && isAlive(holder.pid))
      return {heldBy: holder.pid}
    const stale = `${file}.stale-${process.pid}`
    try {
      await rename(file, stale)
      await rm(stale, {force: true})
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
  }
  return {heldBy: (await readHolder(file))?.pid ?? 0}
}

// A file that is created and then written would look ownerless in between.
async function createWhole(file: string, content: string): Promise<boolean> {
  const draft = `${file}.new-${process.pid}`
  await writeFile(draft, content, {mode: 0o600})
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    return false
  } finally {
    await rm(draft, {force: true})
  }
}

async function releaseIfOurs(file: string, self: Holder): Promise<void> {
  const holder = await readHolder(file)
  if (holder?.pid === self.pid && holder.started === self.started) await rm(file, {force: true})
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(await readFile(file, 'utf8')))
    return parsed.success ? parsed.data : undefined
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

function startTime(pid: number): string {
  try {
    // proc(5): field 22 is the start time; the second field, in parentheses, may itself hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
