import * as fs from 'node:fs'

let drafts = 0

/**
 * Node's file system for a git library that writes in place: here every file is written beside its place and renamed into it, so
 * that a git process never reads half of an object or a ref that is just being emptied.
 */
export const atomicFs = {
  promises: {
    ...fs.promises,
    async writeFile(file: string, data: string | Uint8Array, options?: {mode?: number}): Promise<void> {
      const draft = `${file}.${process.pid}.${drafts++}.lock`
      try {
        await fs.promises.writeFile(draft, data, options)
        await fs.promises.rename(draft, file)
      } catch (error) {
        await fs.promises.rm(draft, {force: true})
        throw error
      }
    },
  },
}
