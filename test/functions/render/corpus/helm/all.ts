import type {CorpusCase} from '../corpus-case.ts'
import {fileCases} from './files.ts'
import {folderCases} from './folders.ts'
import {functionCases} from './functions.ts'
import {refusedCases} from './refused.ts'
import {subchartCases} from './subcharts.ts'
import {templateCases} from './templates.ts'
import {valueCases} from './values.ts'

/** Charts that between them use the whole surface of helm 4.1. */
export const charts: readonly CorpusCase[] = [
  ...valueCases,
  ...templateCases,
  ...subchartCases,
  ...fileCases,
  ...functionCases,
  ...folderCases,
  ...refusedCases,
]
