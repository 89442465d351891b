import {randomInt} from 'node:crypto'
import {createServer} from 'node:net'

import {LocalStackError} from './local-stack-error.ts'

// Below the range that Linux and macOS hand out for outgoing connections, so that nothing takes a port by chance
// between our looking and our server's listening.
const lowestPort = 20_000
const highestPort = 32_000
const maxAttempts = 100

/** Finds a loopback TCP port that is free now: `preferred` if it is, else a random one outside the ephemeral range. */
export async function findFreePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const port = randomInt(lowestPort, highestPort)
    if (await isFree(port)) return port
  }
  throw new LocalStackError(
    'PORT_TAKEN',
    `no free port on 127.0.0.1 in ${maxAttempts} tries between ${lowestPort} and ${highestPort}: end programs that listen there`,
  )
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({port, host: '127.0.0.1', exclusive: true}, () => server.close(() => resolve(true)))
  })
}
