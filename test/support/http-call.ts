/** One HTTP call with JSON, and the documents that it is answered with. */

export interface Answer<Body> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

/** RFC 9457. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly errors?: readonly { path: string; message: string }[]
}

export interface StockFigures {
  readonly onHand: number
  readonly reserved: number
  readonly allocated: number
  readonly safetyStock: number
  readonly atp: number
}

export interface StockDocument extends StockFigures {
  readonly sku: string
  readonly shortage: number
  readonly locations: readonly (StockFigures & {
    readonly location: string
    readonly shortage: number
    readonly incoming: readonly { quantity: number; expectedAt: string }[]
  })[]
}

export interface ReservationDocument {
  readonly id: string
  readonly sku: string
  readonly quantity: number
  readonly location: string
  readonly status: string
  readonly expiresAt: string
  readonly remaining: number
}

export interface PageDocument<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

/** `body`: text and bytes go out as they are, anything else as JSON. */
export async function call<Body = Record<string, unknown>>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined
      ? {}
      : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  let document: unknown = text
  if (/json/.test(response.headers.get('content-type') ?? '')) document = JSON.parse(text)
  return { status: response.status, headers: response.headers, body: document as Body } // as its caller expects it
}

const PROBLEM_FIELDS = ['type', 'title', 'status', 'detail', 'code']

/** What is wrong with an answer that should be this problem; empty where it is one. */
export function problemFaults({ status, headers, body }: Answer<unknown>, expected: number, code: string): string[] {
  const problem = body as Partial<ProblemDocument>
  const faults: string[] = []
  if (status !== expected) faults.push(`status ${status}, not ${expected}`)
  if (!/^application\/problem\+json\b/.test(headers.get('content-type') ?? ''))
    faults.push(`content type ${headers.get('content-type')}`)
  for (const field of PROBLEM_FIELDS) if (!(field in problem)) faults.push(`no ${field}`)
  if (problem.status !== status) faults.push(`says status ${problem.status}`)
  if (problem.code !== code) faults.push(`code ${problem.code}, not ${code}: ${problem.detail}`)
  if (typeof problem.detail !== 'string' || problem.detail.length < 10)
    faults.push(`says too little: ${problem.detail}`)
  return faults
}
