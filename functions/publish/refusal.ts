/** Why an app is not published at this commit: it keeps what the cluster has of it. */
export interface Refusal {
  code: string
  message: string
}
