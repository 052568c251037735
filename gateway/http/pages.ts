/** The plain pages: what runs here and where to go. */
import type { Operation } from '../operations/operation.js'

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
h1{font-size:1.6rem;margin-bottom:.2rem}code{background:#f1f1f4;padding:.1em .3em;border-radius:.2em}
table{border-collapse:collapse;width:100%}td{padding:.3rem .6rem .3rem 0;border-top:1px solid #ddd;vertical-align:top}
a{color:#0b57d0}@media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#161618}code{background:#2a2a2e}td{border-color:#333}a{color:#8ab4f8}}`

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const page = (title: string, content: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>${content}</body></html>
`

export interface Figures {
  version: string
  partitions: number
  skus: number
  locations: number
  live: number
}

export function frontPage({ version, partitions, skus, locations, live }: Figures): string {
  const figure = (n: number): string => n.toLocaleString('en')
  return page(
    'Doorbuster',
    `<h1>Doorbuster ${escapeHtml(version)}</h1>
<p>An order management system: stock is promised and reserved here, durably and one decision at a time for each SKU.</p>
<table>
<tr><td>SKUs</td><td>${figure(skus)}</td></tr>
<tr><td>Locations</td><td>${figure(locations)}</td></tr>
<tr><td>Live reservations</td><td>${figure(live)}</td></tr>
<tr><td>Partitions</td><td>${figure(partitions)}</td></tr>
</table>
<p>Where to go:</p>
<table>
<tr><td><a href="/docs">/docs</a></td><td>every call, with its fields</td></tr>
<tr><td><a href="/openapi.json">/openapi.json</a>, <a href="/asyncapi.json">/asyncapi.json</a></td><td>the same for programs</td></tr>
<tr><td><a href="/v1/locations">/v1/locations</a>, <a href="/v1/products">/v1/products</a></td><td>what is known</td></tr>
<tr><td><a href="/metrics">/metrics</a></td><td>figures for Prometheus</td></tr>
<tr><td><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a></td><td>alive; ready</td></tr>
<tr><td><code>ws:/v1/socket</code></td><td>packed frames and control messages, subprotocol <code>doorbuster.v1</code></td></tr>
</table>`,
  )
}

/** The calls as a page, from the same table as /openapi.json. */
export function docsPage(operations: Operation[]): string {
  const rows = operations.map(({ name, summary, http }) => {
    const call = http ? `${http.method} ${http.path}` : 'control message'
    return `<tr><td><code>${escapeHtml(call)}</code></td><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(summary)}</td></tr>`
  })
  return page(
    'Doorbuster: calls',
    `<h1>Calls</h1><p>Fields and their limits stand in <a href="/openapi.json">/openapi.json</a>. The second column is the
name of the same call as a control message on <code>/v1/socket</code>.</p><table>${rows.join('\n')}</table>`,
  )
}
