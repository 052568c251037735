/**
 * Everything that is checked, in one command: format and lint, types, import arrows, dead code, then all tests. Its last
 * line is `N passed, N failed`: a tool counts as one, a test as one.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TOOLS = ['lint', 'types', 'arrows', 'unused'] as const

function run(command: string, args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit' })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

interface Count {
  passed: number
  failed: number
  skipped: number
}

/** What vitest wrote of its tests; a run that ended badly without a failed test is a failure too. */
function countTests(report: string, exitCode: number): Count {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number
      numFailedTests: number
      numPendingTests: number
    }
    const failed = exitCode !== 0 && numFailedTests === 0 ? 1 : numFailedTests
    return { passed: numPassedTests, failed, skipped: numPendingTests }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

const directory = mkdtempSync(join(tmpdir(), 'doorbuster-tests-'))
const report = join(directory, 'report.json')
const count: Count = { passed: 0, failed: 0, skipped: 0 }
for (const tool of TOOLS) {
  const passed = (await run('npm', ['run', '--silent', tool])) === 0
  process.stdout.write(`${tool}: ${passed ? 'passed' : 'FAILED'}\n`)
  if (passed) count.passed++
  else count.failed++
}
const exitCode = await run('npx', [
  'vitest',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
])
const tests = countTests(report, exitCode)
rmSync(directory, { recursive: true, force: true })
const [passed, failed] = [count.passed + tests.passed, count.failed + tests.failed]
process.stdout.write(`${passed} passed, ${failed} failed${tests.skipped > 0 ? `, ${tests.skipped} skipped` : ''}\n`)
process.exitCode = failed > 0 ? 1 : 0
