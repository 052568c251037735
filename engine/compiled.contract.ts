/** Modules as plain JavaScript, for tests that run them in threads of their own, which know no TypeScript. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface Compiled {
  /** The address of a compiled module, named from the root of the project. */
  address(module: string): URL
  dispose(): void
}

/** Compiles modules (named from the root of the project, without their extension) and all that they import. */
export function compile(...modules: string[]): Compiled {
  const directory = mkdtempSync(join(tmpdir(), 'doorbuster-compiled-'))
  const config = join(directory, 'tsconfig.json')
  const compilerOptions = { rootDir: root, outDir: directory, typeRoots: [join(root, 'node_modules/@types')] }
  const files = modules.map((module) => join(root, `${module}.ts`))
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module' }))
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], { stdio: 'inherit' })
  return {
    address: (module) => pathToFileURL(join(directory, `${module}.js`)),
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  }
}
