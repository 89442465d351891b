import {execFile} from 'node:child_process'
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {promisify} from 'node:util'

import {stringify} from 'yaml'
import * as z from 'zod'

import {LocalStackError} from './local-stack-error.ts'

const execute = promisify(execFile)
const issueLimitMilliseconds = 30_000

const issuedSchema = z.array(z.object({name: z.string(), certificate: z.string(), key: z.string()}))

/** A Kubernetes user, as its client certificate names it. */
export interface ClusterUser {
  name: string
  groups?: string[]
}

/** A client certificate and its key, both PEM. */
export type IssuedUser = z.infer<typeof issuedSchema>[number]

/** Makes the cluster's certificates under `certs` where absent, and a client certificate for each user, in order. */
export async function issueCertificates(
  program: string,
  certs: string,
  users: readonly ClusterUser[],
): Promise<IssuedUser[]> {
  const flags = users.flatMap(({name, groups = []}) => ['--user', JSON.stringify({name, groups})])
  try {
    const {stdout} = await execute(program, ['certs', '--dir', certs, ...flags], {
      timeout: issueLimitMilliseconds,
      maxBuffer: 16 * 1024 * 1024,
    })
    return issuedSchema.parse(JSON.parse(stdout))
  } catch (cause) {
    const reason = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause)
    throw new LocalStackError('PROCESS_DIED', `cannot make the certificates in ${certs}: ${reason}`)
  }
}

/** Writes a kubeconfig (mode 0600) that verifies `server` by the cluster's own authority. Returns the file's name. */
export async function writeKubeconfig(
  file: string,
  {clusterName, server, certs, user}: {clusterName: string; server: string; certs: string; user: IssuedUser},
): Promise<string> {
  const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')
  const content = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: clusterName,
        cluster: {server, 'certificate-authority-data': base64(await readFile(join(certs, 'ca.crt')))},
      },
    ],
    users: [
      {
        name: user.name,
        user: {'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key)},
      },
    ],
    contexts: [{name: clusterName, context: {cluster: clusterName, user: user.name}}],
    'current-context': clusterName,
  })
  await mkdir(dirname(file), {recursive: true, mode: 0o700})
  const draft = `${file}.${process.pid}.new`
  await writeFile(draft, content, {mode: 0o600})
  await rename(draft, file)
  return file
}
