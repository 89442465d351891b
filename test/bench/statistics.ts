/** Figures over repeated measurements, in the unit of the samples. */
export interface Summary {
  count: number
  min: number
  p50: number
  p95: number
  max: number
}

/** Summarises samples; percentiles by nearest rank. Throws where there is none. */
export function summarise(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new Error('no sample was taken')
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
  return {count: sorted.length, min: at(0), p50: at(0.5), p95: at(0.95), max: at(1)}
}

/** Summarises samples by name; each round is a list of names with one sample each. */
export function summariseByName(
  rounds: readonly (readonly [name: string, sample: number][])[],
): Record<string, Summary> {
  const byName = Map.groupBy(rounds.flat(), ([name]) => name)
  return Object.fromEntries(
    [...byName].map(([name, samples]) => [name, summarise(samples.map(([, sample]) => sample))] as const),
  )
}
