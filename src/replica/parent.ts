/** The channel to the process that started this one: Node's IPC or Electron's parent port. */

export interface ParentChannel {
  post(message: unknown): void
  onClosed(listener: () => void): void
}

/** Electron's `process.parentPort` in a utility process. */
interface ParentPort {
  postMessage(message: unknown): void
  on(event: 'close', listener: () => void): void
}

/** Null when this process was started by hand. */
export const parentChannel = (): ParentChannel | null => {
  const port = (process as { parentPort?: ParentPort }).parentPort
  if (port !== undefined) return { post: (message) => port.postMessage(message), onClosed: (listener) => port.on('close', listener) }
  if (process.channel === undefined || process.send === undefined) return null
  return {
    post(message) {
      // The parent may be gone by now; its end is noticed by the closed channel.
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
    },
    onClosed: (listener) => void process.once('disconnect', listener),
  }
}
