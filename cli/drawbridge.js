#!/usr/bin/env node
// The launcher: plain JavaScript that any Node from 18 on can run. It finds a Node 24 (Lambda's nodejs24.x, and the first
// with type stripping that we rely on) and hands over to cli/main.ts, or to the built CLI where this is an installed package.
import {spawn} from 'node:child_process'
import {existsSync} from 'node:fs'
import {homedir} from 'node:os'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const sources = join(root, 'cli', 'main.ts')
const built = join(root, 'dist', 'cli', 'main.js')
// Node refuses to strip types below node_modules, so an installed package runs its build.
const installed = root.includes('node_modules')
const entry = installed ? built : sources

const node = findNode()
if (node === undefined) {
  const remedy = installed ? 'Install Node 24' : 'Run "npm ci" in the clone (it brings Node 24), or install Node 24'
  process.stderr.write(
    `drawbridge: needs Node 24 or newer, and this is ${process.version}. ${remedy}, and try again.\n`,
  )
  process.exitCode = 2
} else if (node === process.execPath && process.env.DRAWBRIDGE_LAUNCHED === '1') {
  await import(entry)
} else {
  // The IPC channel tells the child when this process dies in a way that it cannot pass on (SIGKILL).
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', entry, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Types are stripped and code is compiled once, not at each command: that is half of what a short one takes.
    env: {NODE_COMPILE_CACHE: join(cacheDir(), 'compile'), ...process.env, DRAWBRIDGE_LAUNCHED: '1'},
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`drawbridge: cannot start ${node}: ${error.message}\n`)
    process.exitCode = 2
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1)
    if (child.connected) child.disconnect()
  })
}

function cacheDir() {
  return join(process.env.XDG_CACHE_HOME || join(process.env.HOME || homedir(), '.cache'), 'drawbridge')
}

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  const exe = process.platform === 'win32' ? 'node.exe' : 'node'
  for (let dir = root; ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', 'node', 'bin', exe)
    if (existsSync(candidate)) return candidate
    if (dir === dirname(dir)) return undefined
  }
}
