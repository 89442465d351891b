/**
 * The settings that every AWS client shares: 2 s to connect, 30 s for an answer (a long poll takes up to 20 s of it), 30 s of
 * silence on a socket, and the standard retry mode.
 */
export function requestSettings() {
  return {
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 30_000,
      socketTimeout: 30_000,
      throwOnRequestTimeout: true,
    },
  } as const
}
