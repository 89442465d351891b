// Preloaded into a child process: ends it the way SIGTERM does when the parent's channel closes, however the parent died.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
