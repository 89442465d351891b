// Renders a part of the corpus and prints a digest of each result: a program of its own, so that it can run under other flags.
import {digestOf} from '#shared/model/digest.ts'
import {renderFiles} from '../box-fixture.ts'
import {charts} from './helm/all.ts'
import {kustomizations} from './kustomize/all.ts'

/** Every seventh case of each renderer that renders, and gives no random values. */
export function sampleCases() {
  return [
    ...kustomizations.map((each) => ({renderer: 'kustomize' as const, each})),
    ...charts.map((each) => ({renderer: 'helm' as const, each})),
  ].filter(({each}, index) => index % 7 === 0 && each.refused === undefined)
}

/** A digest of the objects of each, as the box gives them. */
export async function digestSample(options: {fresh: boolean}): Promise<Record<string, string>> {
  const digests: Record<string, string> = {}
  for (const {renderer, each} of sampleCases()) {
    const {files, path = '', options: helm = {}} = each
    const found = await renderFiles({renderer, files, path, options: helm, fresh: options.fresh})
    digests[`${renderer}: ${each.name}`] = found.ok ? digestOf(found.objects.join('\n')) : found.message
  }
  return digests
}

if (process.argv[1] === import.meta.filename) {
  const digests = await digestSample({fresh: false})
  process.stdout.write(JSON.stringify(digests), () => process.exit())
}
