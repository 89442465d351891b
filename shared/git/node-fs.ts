import fs from 'node:fs'

/** The file system as isomorphic-git takes it. */
export const nodeFs = {promises: fs.promises}
