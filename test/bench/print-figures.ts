// node test/bench/print-figures.ts FILE: prints the figures that `npm run bench -- --json FILE` kept as the table of docs/benchmarks.md.
import {readFile} from 'node:fs/promises'
import type {Figures} from './figures.ts'
import {formatMarkdown} from './format-table.ts'
import {listRows} from './list-rows.ts'

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('name the file that --json wrote')
const figures = JSON.parse(await readFile(file, 'utf8')) as Figures
process.stdout.write(formatMarkdown(listRows(figures)))
