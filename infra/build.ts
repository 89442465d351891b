import {join, relative} from 'node:path'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {buildBundles} from './build-bundles.ts'
import {LocalStackError} from './local/local-stack-error.ts'
import {findRenderers, prebuiltRenderers} from './local/renderers/find-renderers.ts'
import {packRenderers} from './local/renderers/pack-renderers.ts'

const root = join(import.meta.dirname, '..')

try {
  const outDir = join(root, 'dist')
  const renderers = await findRenderers({
    env: process.env,
    onProgress: (line) => void process.stderr.write(`${line}\n`),
  })
  const bundles = await buildBundles({root, outDir, renderers: async () => renderers})
  for (const {file, bytes} of bundles.flatMap((bundle) => [bundle, ...bundle.beside])) {
    process.stdout.write(`${relative(root, file)}  ${Math.ceil(bytes / 1024)} KiB\n`)
  }
  const packed = await packRenderers(renderers, prebuiltRenderers)
  for (const file of packed) process.stdout.write(`${relative(root, file)}  for the package\n`)
} catch (error) {
  if (!(error instanceof DrawbridgeError || error instanceof LocalStackError)) throw error
  process.stderr.write(`drawbridge: ${error.message}\n`)
  process.exitCode = 1
}
