/** A Go module of this project that is built on this machine, once, and then kept. */
export interface GoProgram {
  /** Begins the name of its folder in the cache. */
  name: string
  /** For people, in a sentence: `the control plane`. */
  title: string
  /** Folder of the module. What its go.mod replaces by other folders is built in. */
  sourceDir: string
  /** Name of the built file. */
  file: string
  /** Flags of `go build` that decide what is made. */
  flags: readonly string[]
  /** What it is built for. @default this machine */
  target?: {GOOS: string; GOARCH: string}
  /** Makes what is kept of what Go made. Another `version` stands for another result. */
  finish?: {version: string; run: (bytes: Uint8Array) => Uint8Array}
  /** How long the build takes on two cores that do nothing else, modules fetched. */
  usualMinutes: number
  /** Code of the error where it is not built yet and there is no Go. */
  absentCode: 'NO_CONTROL_PLANE' | 'NO_RENDERERS'
  /** What to do where it cannot be built: lines for people. */
  choices: string
}
