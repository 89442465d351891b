// Follows ConfigMaps of an API server until one is called "last", and prints how many it saw and how much memory the process took at most.
// Usage: node follow-fat.ts PORT
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import {followType} from '#agent/kube/follow-type.ts'
import {createTransport} from '#agent/kube/send-request.ts'

const server = new URL(`http://127.0.0.1:${process.argv[2]}`)
const transport = createTransport({server, tls: {}, authorization: async () => 'Bearer t'})
const stop = new AbortController()
let seen = 0
const {ended} = await followType(
  createKubeClient(transport),
  {group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true},
  {
    detail: 'metadata',
    signal: stop.signal,
    onList: () => undefined,
    onEvent: ({object}) => {
      seen++
      if (object.metadata.name === 'last') stop.abort()
    },
    onTrouble: ({message}) => process.stderr.write(`${message}\n`),
  },
)
await ended
transport.close()
process.stdout.write(JSON.stringify({seen, mebibytes: Math.round(process.resourceUsage().maxRSS / 1024)}))
