import {readFile} from 'node:fs/promises'
import {resolve} from 'node:path'
import type {Command} from 'commander'
import {generateKeyFile} from '#shared/attest/key-file-signer.ts'
import {createTrustRoot, keyIdOf} from '#shared/attest/trust-root.ts'
import {describeFileError} from './describe-file-error.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'

/** Adds `drawbridge keys generate|id|trust-root`. */
export function addKeysCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  const keys = program.command('keys').description('signing keys and trust roots')
  keys
    .command('generate')
    .description('make an ECDSA P-256 key pair; the private key goes to a file, the public key to stdout')
    .requiredOption('--out <file>', 'where to write the private key (mode 0600; never over an existing file)')
    .action(async ({out}: {out: string}) => {
      const file = resolve(io.cwd, out)
      const pem = await generateKeyFile(file).catch((cause: NodeJS.ErrnoException) => {
        throw new CliError(
          cause.code === 'EEXIST'
            ? `${file} exists already: keys are never overwritten`
            : `cannot write ${file}: ${describeFileError(cause)}`,
        )
      })
      io.out(pem)
      io.err(`private key in ${file}\n`)
      done(0)
    })
  keys
    .command('id <public-key>')
    .description('the id of a public key (PEM)')
    .action(async (file: string) => {
      io.out(`${keyIdOf(await readPem(io, file))}\n`)
      done(0)
    })
  keys
    .command('trust-root <public-key>')
    .description('a trust root that believes one public key (PEM), for agents to be pinned to')
    .action(async (file: string) => {
      io.out(`${JSON.stringify(createTrustRoot(await readPem(io, file)), null, 2)}\n`)
      done(0)
    })
}

async function readPem(io: CliIo, file: string): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, file), 'utf8')
  } catch (cause) {
    throw new CliError(`cannot read ${file}: ${describeFileError(cause)}`)
  }
}
