import {renderWithHelm} from '../reference-renderers.ts'
import {compareCorpus} from './compare-corpus.ts'
import {charts} from './helm/all.ts'

compareCorpus({
  renderer: 'helm',
  cases: charts,
  render: ({files, path = '', options}) => renderWithHelm(files, path, options),
  atLeast: 60,
  refusedAtLeast: 15,
})
