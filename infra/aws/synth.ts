import {readdirSync, rmSync} from 'node:fs'
import {join, relative} from 'node:path'
import {App} from 'aws-cdk-lib'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {buildBundles} from '../build-bundles.ts'
import {LocalStackError} from '../local/local-stack-error.ts'
import {createApp} from './create-app.ts'
import {loadConfigFile} from './load-config.ts'

// Builds the functions and writes the templates, offline and without an account: for a look at them, and for checks.
const root = join(import.meta.dirname, '..', '..')
const outDir = join(root, 'cdk.out')
const file = process.env.DRAWBRIDGE_CONFIG || join(import.meta.dirname, 'example.json')

try {
  const config = loadConfigFile(file)
  const only = ['functions/webhook', 'functions/render', 'functions/publish', 'functions/status']
  await buildBundles({root, outDir: join(root, 'dist'), only})
  rmSync(outDir, {recursive: true, force: true})
  createApp({app: new App({outdir: outDir}), config, bundles: join(root, 'dist', 'functions')}).app.synth()
  process.stdout.write(`configuration  ${relative(process.cwd(), file)}\n`)
  for (const name of readdirSync(outDir).filter((entry) => entry.endsWith('.template.json'))) {
    process.stdout.write(`template       ${relative(process.cwd(), join(outDir, name))}\n`)
  }
} catch (error) {
  if (!(error instanceof DrawbridgeError || error instanceof LocalStackError)) throw error
  process.stderr.write(`drawbridge: ${error.message}\n`)
  process.exitCode = 1
}
