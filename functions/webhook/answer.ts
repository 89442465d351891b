/** What a Lambda function URL sends back. */
export interface Answer {
  statusCode: number
  headers: Record<string, string>
  body: string
}

/** Builds an answer with one line of JSON as its body. */
export function answer(statusCode: number, body: Record<string, string>, headers: Record<string, string> = {}): Answer {
  return {
    statusCode,
    headers: {'content-type': 'application/json', 'cache-control': 'no-store', ...headers},
    body: JSON.stringify(body),
  }
}
