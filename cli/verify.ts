import {readFile} from 'node:fs/promises'
import {dirname, join, resolve} from 'node:path'
import type {Command} from 'commander'
import {parseEnvelope} from '#shared/attest/envelope.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import type {Statement} from '#shared/attest/statement.ts'
import {readTrustRoot as readTrustRootText, type TrustRoot} from '#shared/attest/trust-root.ts'
import {verifyStatement} from '#shared/attest/verify-attestation.ts'
import {parseDesiredState} from '#shared/attest/verify-desired-state.ts'
import {verifyEnvelope} from '#shared/attest/verify-envelope.ts'
import {parseBundle} from '#shared/bundle/unpack-bundle.ts'
import {digestHex, digestOf} from '#shared/model/digest.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {formatRevision} from '#shared/model/revision.ts'
import {describeFileError} from './describe-file-error.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'

interface Input {
  file: string
  bytes: Buffer
}

/** Adds `drawbridge verify --trust-root FILE FILE…`: exit status 0 only where every file is valid, 1 with the reason otherwise. */
export function addVerifyCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('verify <file...>')
    .description('check envelopes (desired states, attestations) and bundles against a trust root, offline')
    .requiredOption('--trust-root <file>', 'the trust root that agents are pinned to')
    .option('--at <time>', 'judge expiry at this time (RFC 3339) in place of now')
    .addHelpText(
      'after',
      `
A bundle is valid where an attestation signed under the trust root names its digest. Attestations are looked for among the
files given and at ../attestations/<digest> beside the bundle, where a copy of the bucket has it.`,
    )
    .action(async (files: string[], options: {trustRoot: string; at?: string}) => {
      const trustRoot = await readTrustRoot(resolve(io.cwd, options.trustRoot))
      const at = options.at === undefined ? new Date() : new Date(options.at)
      if (Number.isNaN(at.getTime())) throw new CliError(`--at ${options.at}: not an RFC 3339 time`)
      const inputs = await Promise.all(files.map((file) => readInput(resolve(io.cwd, file))))
      const attested = new Map<string, Statement>()
      for (const input of inputs.filter((one) => !isGzip(one))) {
        const statement = tryStatement(input.bytes, trustRoot)
        if (statement !== undefined) attested.set(statement.subject[0].digest.sha256, statement)
      }
      let status: ExitStatus = 0
      for (const input of inputs) {
        try {
          io.out(
            `${input.file}: ${isGzip(input) ? await verifyBundle(input, trustRoot, attested) : verifyDocument(input, trustRoot, at)}\n`,
          )
        } catch (error) {
          const code = error instanceof Error && 'code' in error ? `${String(error.code)}: ` : ''
          io.err(`${input.file}: not valid: ${code}${describeError(error)}\n`)
          status = 1
        }
      }
      done(status)
    })
}

function verifyDocument({bytes}: Input, trustRoot: TrustRoot, at: Date): string {
  const envelope = parseEnvelope(bytes)
  if (envelope.payloadType === PAYLOAD_TYPES.statement) {
    const {predicate, subject} = verifyStatement(bytes, trustRoot)
    return `valid attestation of sha256:${subject[0].digest.sha256}, app ${predicate.app} in cluster ${predicate.cluster}, from ${predicate.source.repository} ${formatRevision(predicate.source.ref, predicate.source.commit)}`
  }
  const desired = parseDesiredState(verifyEnvelope(envelope, trustRoot, 'desired', PAYLOAD_TYPES.desiredState))
  if (Date.parse(desired.expiresAt) <= at.getTime())
    throw new CliError(`EXPIRED: the desired state expired at ${desired.expiresAt}`, 1)
  return `valid desired state of cluster ${desired.cluster}, version ${desired.version}, ${desired.apps.length} apps, expires ${desired.expiresAt}`
}

async function verifyBundle(
  {file, bytes}: Input,
  trustRoot: TrustRoot,
  attested: ReadonlyMap<string, Statement>,
): Promise<string> {
  const hex = digestHex(digestOf(bytes))
  const statement = attested.get(hex) ?? (await readSibling(file, hex, trustRoot))
  if (statement === undefined)
    throw new CliError(
      `no attestation of sha256:${hex} among the files given or beside it: its bytes were changed, or its attestation is missing`,
      1,
    )
  const {predicate} = statement
  const {header} = parseBundle(bytes, predicate.bundle.objects)
  if (header.app !== predicate.app || header.cluster !== predicate.cluster || header.inputs !== predicate.inputs) {
    throw new CliError('the bundle is not what its attestation says', 1)
  }
  return `valid bundle of app ${header.app} in cluster ${header.cluster}, ${header.objects} objects, from ${predicate.source.repository} ${formatRevision(predicate.source.ref, predicate.source.commit)}`
}

async function readSibling(file: string, hex: string, trustRoot: TrustRoot): Promise<Statement | undefined> {
  const beside = join(dirname(file), '..', 'attestations', hex)
  const bytes = await readFile(beside).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (bytes === undefined) return undefined
  const statement = verifyStatement(bytes, trustRoot)
  return statement.subject[0].digest.sha256 === hex ? statement : undefined
}

function tryStatement(bytes: Buffer, trustRoot: TrustRoot): Statement | undefined {
  try {
    return verifyStatement(bytes, trustRoot)
  } catch {
    // Judged, with its reason, when its own turn comes.
    return undefined
  }
}

function isGzip({bytes}: Input): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

async function readInput(file: string, exitStatus: ExitStatus = 1): Promise<Input> {
  try {
    return {file, bytes: await readFile(file)}
  } catch (cause) {
    throw new CliError(`cannot read ${file}: ${describeFileError(cause)}`, exitStatus)
  }
}

async function readTrustRoot(file: string): Promise<TrustRoot> {
  const {bytes} = await readInput(file, 2)
  try {
    return readTrustRootText(bytes.toString('utf8'))
  } catch (cause) {
    // Nothing can be told of any file without it.
    throw new CliError(`${file} is not a trust root: ${describeError(cause)}`, 2, {cause})
  }
}
