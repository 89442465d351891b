import {randomBytes} from 'node:crypto'
import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'

import * as z from 'zod'

import {bucketPolicy, type Grant} from './bucket-policy.ts'
import type {ControlPlaneTools} from './find-control-plane.ts'
import {findFreePort} from './find-free-port.ts'
import {LocalStackError} from './local-stack-error.ts'
import {takeLock} from './lock-file.ts'
import {type ServerProcess, startProcess, waitUntilReady} from './processes.ts'
import {type Credentials, signRequest} from './sign-request.ts'
import {loadState, saveState} from './state-file.ts'

export interface StartObjectStoreOptions {
  tools: ControlPlaneTools
  /** Directory of the objects, keys and log. A later start with the same one finds the same objects and credentials. */
  stateDir: string
  /** The one bucket, made if absent. */
  bucket: string
  /** Called with a line for people when the server ends by itself. */
  log?: (line: string) => void
}

/** A running S3 server of this process, on loopback. Address it path-style (`forcePathStyle: true`). */
export interface LocalObjectStore {
  /** `http://127.0.0.1:PORT`; the same after `restart`, and at the next start if the port is free then. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  /** May do everything. */
  readonly rootCredentials: Credentials
  readonly processId: () => number
  /**
   * Makes the user `name` if there is none, replaces its grants, and returns its credentials, which never change.
   * A user may do what it is granted and nothing else, from the next request on. Calls may overlap.
   */
  createUser(user: {name: string; grants: readonly Grant[]}): Promise<Credentials>
  stop(): Promise<void>
  /** Stops and starts the server on the same port; objects, users and grants stay. */
  restart(): Promise<void>
}

const region = 'us-east-1'
const readyLimitMilliseconds = 30_000
const maxPortAttempts = 4

const credentialsSchema = z.object({accessKeyId: z.string(), secretAccessKey: z.string()})
const grantSchema = z.object({
  actions: z.array(z.enum(['get', 'put', 'delete', 'list'])),
  keys: z.array(z.string()),
})
const stateSchema = z.object({
  port: z.number().optional(),
  root: credentialsSchema,
  users: z.record(z.string(), z.object({credentials: credentialsSchema, grants: z.array(grantSchema)})),
})

/**
 * Starts an S3 server over a directory, and returns when the bucket is there and all users may do what they are granted.
 * It ends when this process does. Throws IN_USE (another process runs this directory), BAD_INPUT, PROCESS_DIED,
 * NOT_READY, or REQUEST_REFUSED (by the server; with its words).
 */
export async function startObjectStore(options: StartObjectStoreOptions): Promise<LocalObjectStore> {
  const {tools, stateDir, bucket, log = () => undefined} = options
  await mkdir(stateDir, {recursive: true, mode: 0o700})
  const lock = await takeLock(join(stateDir, 'lock'))
  if ('heldBy' in lock) {
    throw new LocalStackError(
      'IN_USE',
      `process ${lock.heldBy} runs the object store in ${stateDir}: end it, or use another directory`,
    )
  }
  const stateFile = join(stateDir, 'credentials.json')
  const logFile = join(stateDir, 's3.log')
  let server: ServerProcess | undefined
  let endpoint = ''

  const state = await loadState(stateFile, stateSchema).catch(async (error: unknown) => {
    await lock.release()
    throw error
  })
  const kept = state ?? {root: newCredentials(), users: {}}

  const startServer = async (port: number) => {
    endpoint = `http://127.0.0.1:${port}`
    server = await startProcess({
      name: 'the S3 server',
      command: tools.program,
      args: ['--until-stdin-closes', 's3', '--address', `127.0.0.1:${port}`, '--data', stateDir, '--region', region],
      logFile,
      env: {
        ...process.env,
        DRAWBRIDGE_S3_ROOT_ACCESS_KEY_ID: kept.root.accessKeyId,
        DRAWBRIDGE_S3_ROOT_SECRET_ACCESS_KEY: kept.root.secretAccessKey,
      },
    })
    server.onUnexpectedEnd((how) => log(`the S3 server ended unexpectedly (${how}); see ${logFile}`))
    const probe = async () => (await fetch(`${endpoint}/_health`)).ok
    await waitUntilReady(server, logFile, probe, readyLimitMilliseconds)
  }

  const send = async (method: string, path: string, body: string, accepted: readonly number[]) => {
    const url = new URL(path, endpoint)
    const signed = signRequest({method, url, body, region, service: 's3', credentials: kept.root, now: new Date()})
    const response = await fetch(url, {method, headers: signed, ...(body && {body})})
    const text = await response.text()
    if (!accepted.includes(response.status)) {
      throw new LocalStackError(
        'REQUEST_REFUSED',
        `the S3 server answered ${method} ${path} with ${response.status}: ${text}`,
      )
    }
  }
  const conflict = 409
  const makeBucket = () => send('PUT', `/${bucket}`, '', [200, conflict])
  const makeUser = ({accessKeyId, secretAccessKey}: Credentials) =>
    send(
      'PATCH',
      '/create-user',
      `<Account><Access>${accessKeyId}</Access><Secret>${secretAccessKey}</Secret><Role>user</Role></Account>`,
      [201, conflict],
    )
  const putPolicy = async () => {
    const grants = Object.values(kept.users).flatMap((user) =>
      user.grants.map((grant) => ({...grant, principal: user.credentials.accessKeyId})),
    )
    const policy = bucketPolicy(bucket, grants)
    await (policy === undefined
      ? send('DELETE', `/${bucket}?policy=`, '', [204, 404])
      : send('PUT', `/${bucket}?policy=`, policy, [200, 204]))
  }

  try {
    await startOnFreePort(kept.port, startServer)
    kept.port = Number(new URL(endpoint).port)
    await saveState(stateFile, kept)
    await makeBucket()
    for (const {credentials} of Object.values(kept.users)) await makeUser(credentials)
    await putPolicy()
  } catch (error) {
    await server?.stop()
    await lock.release()
    throw error
  }

  // One policy document holds all grants, so changes to it take turns.
  let lastChange: Promise<unknown> = Promise.resolve()
  return {
    endpoint,
    region,
    bucket,
    // Copies, since the AWS SDK writes notes of its own into the objects it is given.
    rootCredentials: {...kept.root},
    processId: () => server?.pid ?? 0,
    createUser({name, grants}) {
      const change = lastChange.then(async () => {
        const credentials = kept.users[name]?.credentials ?? newCredentials()
        kept.users[name] = {
          credentials,
          grants: grants.map(({actions, keys}) => ({actions: [...actions], keys: [...keys]})),
        }
        await saveState(stateFile, kept)
        await makeUser(credentials)
        await putPolicy()
        return {...credentials}
      })
      lastChange = change.catch(() => undefined)
      return change
    },
    async stop() {
      await server?.stop()
      await lock.release()
    },
    async restart() {
      await server?.stop()
      await startServer(Number(new URL(endpoint).port))
    },
  }
}

async function startOnFreePort(preferred: number | undefined, start: (port: number) => Promise<void>): Promise<void> {
  for (let round = 1; ; round++) {
    try {
      return await start(await findFreePort(round === 1 ? preferred : undefined))
    } catch (error) {
      const retry = error instanceof LocalStackError && error.code === 'PORT_TAKEN' && round < maxPortAttempts
      if (!retry) throw error
    }
  }
}

function newCredentials(): Credentials {
  return {
    accessKeyId: `LOCAL${randomBytes(8).toString('hex').toUpperCase().slice(0, 15)}`,
    secretAccessKey: randomBytes(30).toString('hex'),
  }
}
