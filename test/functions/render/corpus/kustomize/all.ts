import type {CorpusCase} from '../corpus-case.ts'
import {allowedCases} from './allowed.ts'
import {folderCases} from './folders.ts'
import {generatorCases} from './generators.ts'
import {metadataCases} from './metadata.ts'
import {optionCases} from './options.ts'
import {overlayCases} from './overlays.ts'
import {patchCases} from './patches.ts'
import {pluginCases} from './plugins.ts'
import {refusedCases} from './refused.ts'
import {resourceCases} from './resources.ts'
import {valueCases} from './values.ts'

/** Kustomizations that between them use the whole surface of kustomize 5.7. */
export const kustomizations: readonly CorpusCase[] = [
  ...resourceCases,
  ...overlayCases,
  ...generatorCases,
  ...patchCases,
  ...valueCases,
  ...metadataCases,
  ...pluginCases,
  ...optionCases,
  ...allowedCases,
  ...folderCases,
  ...refusedCases,
]
