/** Which file of the page an `app://panel/` address names. */
import { join, normalize, sep } from 'node:path'

/** The file that a URL names inside `folder`; null when it names something outside, or none. */
export const fileOf = (folder: string, address: string): string | null => {
  let path: string
  try {
    const url = new URL(address)
    if (url.protocol !== 'app:' || url.host !== 'panel') return null
    path = decodeURIComponent(url.pathname)
  } catch {
    return null
  }
  if (path.includes('\0') || path.includes('\\')) return null
  const file = normalize(join(folder, path === '/' ? 'index.html' : path))
  return file.startsWith(folder + sep) ? file : null
}
