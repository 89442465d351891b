import {renderWithKustomize} from '../reference-renderers.ts'
import {compareCorpus} from './compare-corpus.ts'
import {kustomizations} from './kustomize/all.ts'

compareCorpus({
  renderer: 'kustomize',
  cases: kustomizations,
  render: ({files, path = ''}) => renderWithKustomize(files, path),
  atLeast: 120,
  refusedAtLeast: 25,
})
