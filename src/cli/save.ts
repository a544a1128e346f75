/** Writes what the screen exports beside the person's shell. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** A file that is there, or a link somebody laid there, is never written over. */
export function saveFile(name: string, text: string): string {
  const path = resolve(name)
  writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
  return path
}
