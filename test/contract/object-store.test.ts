import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before} from 'node:test'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {type LocalObjectStore, startObjectStore} from '#infra/local/start-object-store.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {createMemoryObjectStore} from '#test/fakes/memory-object-store.ts'
import {testObjectStore} from './object-store-contract.ts'

testObjectStore('memory', createMemoryObjectStore)

let stateDir: string
let server: LocalObjectStore
let store: ObjectStore
let destroy = (): void => undefined

before(
  async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'drawbridge-object-store-'))
    const tools = await findControlPlane({env: process.env, onProgress: () => undefined})
    server = await startObjectStore({tools, stateDir, bucket: 'contract'})
    const {s3, sqs} = createAwsClients({
      region: server.region,
      s3Endpoint: server.endpoint,
      credentials: server.rootCredentials,
    })
    destroy = () => {
      s3.destroy()
      sqs.destroy()
    }
    store = createS3ObjectStore({client: s3, bucket: server.bucket})
  },
  {timeout: 900_000},
)

after(async () => {
  destroy()
  await server?.stop()
  await rm(stateDir, {recursive: true, force: true})
})

testObjectStore('S3', () => store)
