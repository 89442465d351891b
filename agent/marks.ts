/** The label that says which app owns an object; set on every object that an app applies, and what the watches select by. */
export const APP_LABEL = 'drawbridge.dev/app'

/** The label of the ConfigMaps that hold an app's inventory. They do not carry `APP_LABEL`: no app owns them. */
export const INVENTORY_LABEL = 'drawbridge.dev/inventory'

/** The label of the ConfigMaps that remember an app's last healthy bundle. */
export const HEALTHY_LABEL = 'drawbridge.dev/healthy'

/** The field manager of everything that an app applies: who owns which field is read from it. */
export const FIELD_MANAGER = 'drawbridge'

/** The field manager of the agent's own ConfigMaps. */
export const STATE_MANAGER = 'drawbridge-agent'

/** Leaves the agent's memory out of an app's webhooks and policies. */
export const EXEMPTION_MANAGER = 'drawbridge-exemption'

/** Holds what we gave up to a scaler, until that changes it. */
export const HANDOVER_MANAGER = 'drawbridge-handover'
