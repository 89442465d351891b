import {readdir, readFile} from 'node:fs/promises'

/** Resident memory of a process in MiB: now, and at its peak. */
export interface Memory {
  rss: number
  peak: number
}

/** Memory as Linux counts it; undefined elsewhere. */
export async function readMemory(pid: number): Promise<Memory | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined)
  const mebibytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status ?? '')?.[1]) / 1024
  return status === undefined ? undefined : {rss: mebibytes('VmRSS'), peak: mebibytes('VmHWM')}
}

/** CPU milliseconds that the threads of a process have used so far (Linux only; undefined elsewhere). */
export async function readCpuMs(pid: number): Promise<number | undefined> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => undefined)
  if (threads === undefined) return undefined
  const used = await Promise.all(
    threads.map(async (thread) => {
      const line = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')
      return Number(line.split(' ')[0]) / 1e6
    }),
  )
  return used.reduce((sum, each) => sum + each, 0)
}
