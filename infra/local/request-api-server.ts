import {Agent, request} from 'node:https'

import type {IssuedUser} from './issue-kubeconfigs.ts'

const requestLimitMilliseconds = 5_000

/** Sends one JSON request to an API server as one user, and returns the status and the body's text. */
export type ApiServerRequest = (
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
) => Promise<{status: number; text: string}>

/** Makes a request function for `server`, verified by the authority `ca` (PEM). Connections are not kept. */
export function apiServerRequest(server: string, ca: Buffer, user: IssuedUser): ApiServerRequest {
  const agent = new Agent({ca, cert: user.certificate, key: user.key, keepAlive: false})
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, server),
        {method, agent, timeout: requestLimitMilliseconds, headers: {'content-type': 'application/json'}},
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () => resolve({status: response.statusCode ?? 0, text}))
          response.on('error', reject)
        },
      )
      outgoing.on('timeout', () =>
        outgoing.destroy(new Error(`no answer from ${server} in ${requestLimitMilliseconds} ms`)),
      )
      outgoing.on('error', reject)
      outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    })
}
