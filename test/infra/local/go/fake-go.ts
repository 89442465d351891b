import {chmod, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {TestContext} from 'node:test'

/** What a fake Go builds: a WebAssembly module with one memory without a maximum, in the form of printf(1). */
const wasm = String.raw`\000asm\001\000\000\000\005\003\001\000\001`

// Stands in for the compiler: lists three packages; notes each build, tells of the packages, waits for a gate where one is named,
// and writes a program or a module where -o says.
const script = `#!/bin/sh
if [ "$1" = list ]; then printf 'one\\ntwo\\nthree\\n'; exit 0; fi
if [ "$1 $2" = 'mod download' ]; then printf '{"Dir": "%s"}' "$FAKE_GO_MODULE"; exit 0; fi
if [ "$1 $2" = 'mod edit' ]; then echo "replace $4" >> go.mod; exit 0; fi
[ -n "$FAKE_GO_SHOWS" ] && cat go.mod ../patched/other/*.go > "$FAKE_GO_SHOWS"
echo "$GOOS/$GOARCH" >> "$FAKE_GO_RUNS"
printf 'one\\nsomething else\\ntwo\\n' >&2
[ -n "$FAKE_GO_FAILS" ] && { echo "main.go:1: no such thing" >&2; exit 1; }
while [ -n "$FAKE_GO_GATE" ] && ! [ -e "$FAKE_GO_GATE" ]; do sleep 0.02; done
sleep 0.2
while [ "$1" != -o ]; do shift; done
if [ "$GOARCH" = wasm ]; then printf '${wasm}' > "$2"; else printf '#!/bin/sh\\n' > "$2"; chmod +x "$2"; fi
`

/** A folder with a compiler that only pretends, and what it was asked. */
export interface FakeGo {
  dir: string
  /** Where `go` is. */
  bin: string
  cacheDir: string
  env: {PATH: string; FAKE_GO_RUNS: string}
  /** The target of each build by now, as `wasip1/wasm`. */
  builds(): Promise<string[]>
}

/** Makes one; gone after the test. `withGo: false` leaves `go` out. */
export async function createFakeGo(t: TestContext, {withGo = true} = {}): Promise<FakeGo> {
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-go-'))
  t.after(() => rm(dir, {recursive: true, force: true}))
  const bin = join(dir, 'bin')
  const runsFile = join(dir, 'runs')
  await mkdir(bin)
  await writeFile(runsFile, '')
  if (withGo) await writeExecutable(join(bin, 'go'), script)
  return {
    dir,
    bin,
    cacheDir: join(dir, 'cache'),
    env: {PATH: withGo ? `${bin}:/usr/bin:/bin` : bin, FAKE_GO_RUNS: runsFile},
    builds: async () => (await readFile(runsFile, 'utf8')).split('\n').filter((line) => line !== ''),
  }
}

/** Writes a file that can be run. */
export async function writeExecutable(file: string, content: string): Promise<void> {
  await writeFile(file, content)
  await chmod(file, 0o755)
}

/** Writes a folder of sources: its files by name. */
export async function writeSources(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, {recursive: true})
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
}
