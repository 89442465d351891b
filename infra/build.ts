import {join, relative} from 'node:path'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {buildBundles} from './build-bundles.ts'

const root = join(import.meta.dirname, '..')

try {
  for (const {file, bytes} of await buildBundles({root, outDir: join(root, 'dist')})) {
    process.stdout.write(`${relative(root, file)}  ${Math.ceil(bytes / 1024)} KiB\n`)
  }
} catch (error) {
  if (!(error instanceof DrawbridgeError)) throw error
  process.stderr.write(`drawbridge: ${error.message}\n`)
  process.exitCode = 1
}
