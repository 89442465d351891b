/** What names an item in the lists of the built-in kinds, in the order of preference. */
export const itemKeys = [
  'name',
  'key',
  'mountPath',
  'devicePath',
  'containerPort',
  'port',
  'ip',
  'topologyKey',
  'type',
  'uid',
] as const
