import assert from 'node:assert/strict'
import {test} from 'node:test'
import {renderFiles} from '../box-fixture.ts'
import type {CorpusFiles} from '../reference-renderers.ts'

/** Thirty folders, each but the last with two links to the next: 2^30 paths of 30 folders. */
function multiplying(folder: string): CorpusFiles {
  const levels = Array.from({length: 30}, (_, level) => level)
  return Object.fromEntries(
    levels.flatMap((level) => [
      [`${folder}/${level}/file.txt`, 'x'],
      ...(level === 29 ? [] : ['a', 'b']).map((name) => [`${folder}/${level}/${name}`, {link: `../${level + 1}`}]),
    ]),
  )
}

const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'
const chart = {'app/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 1.0.0\n', 'app/templates/a.yaml': map}

for (const {renderer, files, says} of [
  {renderer: 'helm', files: {...chart, 'app/up': {link: '.'}}, says: /folder up leads back into itself/},
  {renderer: 'helm', files: {...chart, 'app/files/up': {link: '..'}}, says: /folder files\/up leads back into itself/},
  {
    renderer: 'helm',
    files: {...chart, ...multiplying('app/files')},
    says: /more than \d+ (folders|files)/,
  },
  {
    renderer: 'yaml',
    files: {'app/a.yaml': map, 'app/up': {link: '.'}},
    says: /app\/up: this folder leads back into itself/,
  },
  {
    renderer: 'yaml',
    files: {'app/a.yaml': map, ...multiplying('app/files')},
    says: /more than \d+ (folders|files)/,
  },
  {
    renderer: 'kustomize',
    files: {'app/kustomization.yaml': 'resources: [up]\n', 'app/up': {link: '.'}},
    says: /cycle detected/,
  },
] as const) {
  test(`${renderer}: links that make endless paths are refused: ${says.source}`, {timeout: 30_000}, async () => {
    const found = await renderFiles({renderer, files, path: 'app'})
    assert.ok(!found.ok)
    assert.match(`${found.file}: ${found.message}`, says)
  })
}
