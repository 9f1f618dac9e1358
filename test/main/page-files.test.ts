/** The custom protocol serves the page's folder and nothing else. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileOf } from '../../src/main/page-files.ts'

const folder = join('/', 'app', 'out', 'renderer')

test.each([
  ['app://panel/', 'index.html'],
  ['app://panel/index.html#/log', 'index.html'],
  ['app://panel/index.html?x=1', 'index.html'],
  ['app://panel/assets/a%20b.js', 'assets/a b.js'],
  ['app://panel/assets/../index.html', 'index.html'],
])('%s is %s', (address, file) => {
  expect(fileOf(folder, address)).toBe(join(folder, file))
})

test.each([
  'app://panel/..%2f..%2fetc/passwd',
  'app://panel/%2e%2e%2f%2e%2e%2fpackage.json',
  'app://panel/assets/..%2f..%2f..%2fmain/index.cjs',
  'app://panel/..%5c..%5cpackage.json',
  'app://panel/index.html%00.js',
  'app://panel/%E0%A4%A',
  'app://panel/..%2frenderer-of-another',
  'app://other/index.html',
  'file:///etc/passwd',
  'https://panel/index.html',
  'not an address',
])('%s is nothing', (address) => {
  expect(fileOf(folder, address)).toBeNull()
})
