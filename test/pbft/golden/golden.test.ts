/** Golden scripts, byte for byte. `GOLDEN=write` writes what the core does now; the difference is then to be read, not believed. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { perform } from './script.ts'

const folder = join(dirname(fileURLToPath(import.meta.url)), 'scripts')

describe('golden scripts', () => {
  it.each(readdirSync(folder))('%s', (name) => {
    const script = readFileSync(join(folder, name), 'utf8')
    const performed = perform(script)
    if (process.env['GOLDEN'] === 'write') writeFileSync(join(folder, name), performed)
    else expect(performed).toBe(script)
  })

  it('a command that there is not is an error', () => {
    expect(() => perform('> dance 1')).toThrow('no command "dance"')
  })
})
