import type {CliIo} from '#cli/io.ts'

/** What a command is handed, and what it wrote by then. */
export function createTestIo(): {io: CliIo; written: {out: string; err: string}} {
  const written = {out: '', err: ''}
  const io: CliIo = {
    out: (text) => {
      written.out += text
    },
    err: (text) => {
      written.err += text
    },
    env: {},
    cwd: '/',
    signal: new AbortController().signal,
    color: false,
  }
  return {io, written}
}
