import type {Command} from 'commander'
import type {CliIo, ExitStatus} from './io.ts'
export function addRenderCommand(_program: Command, _io: CliIo, _done: (status: ExitStatus) => void): void {}
