import type {Command} from 'commander'
import {addManifestsCommand} from './agent/manifests.ts'
import type {CliIo, ExitStatus} from './io.ts'

/** Adds `drawbridge agent …`: what concerns the agent in a cluster. */
export function addAgentCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  addManifestsCommand(program.command('agent').description('the agent that runs in a cluster'), io, done)
}
