import assert from 'node:assert/strict'
import {test} from 'node:test'
import {formatYaml} from '#cli/format-yaml.ts'
import {type CliIo, paint, showText} from '#cli/io.ts'
import {printRows} from '#cli/print-rows.ts'
import {escapeControls} from '#shared/journal/escape-controls.ts'
import {createLogJournal} from '#shared/journal/log-journal.ts'
import {runCli} from './run-cli.ts'

/** Whatever a terminal acts on. */
const hostile = [
  ...Array.from({length: 0xa0}, (_, code) => code).filter(
    (code) => (code < 0x20 || code >= 0x7f) && code !== 9 && code !== 10,
  ),
  0x061c,
  0x200e,
  0x200f,
  0x202a,
  0x202b,
  0x202c,
  0x202d,
  0x202e,
  0x2066,
  0x2067,
  0x2068,
  0x2069,
].map((code) => String.fromCharCode(code))

const isClean = (text: string): boolean => hostile.every((character) => !text.includes(character))

test('shows what a terminal would act on, and leaves lines and letters', () => {
  const shown = showText(`a\tb\n${hostile.join('')}ü😀\u001b]0;title\u0007`)
  assert.ok(isClean(shown))
  assert.match(shown, /^a\tb\n\\u0000.*\\u001b\]0;title\\u0007$/s)
  assert.match(shown, /ü😀/)
})

test('our own colours reach the terminal, those of others do not', () => {
  const io = {color: true} as CliIo
  assert.equal(showText(paint(io, 'red', 'failed: \u001b[8mhidden')), '\u001b[31mfailed: \\u001b[8mhidden\u001b[39m')
})

test('a cell stays on its line', () => {
  const parts: string[] = []
  const io = {out: (part: string) => void parts.push(part)}
  const columns = [{title: 'NAME', value: (row: string) => row}]
  printRows(io, {rows: ['a\nprod  True\u001b[1A'], columns, format: 'table', name: (row) => row})
  assert.equal(parts.join(''), 'NAME\na\\nprod  True\\u001b[1A\n'.replace('\\n', '\\u000a'))
})

test('YAML and JSON say the same when they are shown', () => {
  const value = {[`k${hostile.join('')}`]: hostile.join(''), lines: `a\n${hostile.join('')}\n`}
  const yaml = formatYaml(value)
  assert.equal(showText(yaml), yaml)
  assert.deepEqual(JSON.parse(showText(JSON.stringify(value))), value)
})

test('a line of the log is the same JSON, without what a terminal acts on', () => {
  const lines: string[] = []
  const message = hostile.join('')
  createLogJournal((line) => void lines.push(line)).record({event: 'failed', at: '2026-01-01T00:00:00Z', message})
  assert.ok(isClean(lines[0] ?? '\u001b'))
  assert.equal(JSON.parse(lines[0] ?? '').message, message)
  assert.equal(escapeControls('plain'), 'plain')
})

test('the command line escapes what it was given', async () => {
  const {stderr, status} = await runCli(['get', 'clusters', '--no\u001b]0;x\u0007\u009b'])
  assert.equal(status, 2)
  assert.ok(isClean(stderr), JSON.stringify(stderr))
})
