/** The page's style: the brand's colour where it can be read, one column that fits a phone, light or dark as the customer's device is. */
import { readable } from './colours.js'
import { html, type Markup } from './markup.js'

const BRAND_COLOUR = '#1d4e89'
const LIGHT = { ground: '#ffffff', text: '#1a1a1a', link: '#0b57d0' }
const DARK = { ground: '#121212', text: '#f1f1f1', link: '#9ec5ff' }

/** `colour`: `#rrggbb`, checked. */
export function pageStyle(colour: string = BRAND_COLOUR): Markup {
  const onBrand = readable(colour, ['#ffffff', '#000000'])
  const light = readable(LIGHT.ground, [colour, LIGHT.link])
  const dark = readable(DARK.ground, [colour, DARK.link])
  return html`
:root{color-scheme:light dark;--ground:${LIGHT.ground};--text:${LIGHT.text};--accent:${light};--line:#767676}
@media (prefers-color-scheme:dark){:root{--ground:${DARK.ground};--text:${DARK.text};--accent:${dark};--line:#8f8f8f}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header{background:${colour};color:${onBrand};padding:1rem}
header a{color:inherit}
header img{display:block;max-width:100%;height:2.5rem;width:auto}
.name{font-size:1.25rem;font-weight:700}
main,footer{max-width:40rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:0 0 .5rem}
h2{font-size:1.15rem;margin:0 0 .5rem}
section{border-top:1px solid var(--line);padding:1rem 0}
a{color:var(--accent)}
a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
header a:focus-visible{outline-color:currentColor}
.status{font-size:1.15rem;font-weight:700}
.code{font-family:ui-monospace,monospace}
.progress{list-style:none;display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.5rem;margin:1rem 0;padding:0}
.progress li{border-top:.4rem solid var(--line);padding-top:.3rem}
.progress .reached{border-color:var(--accent)}
.progress [aria-current]{font-weight:700}
.events{list-style:none;margin:0;padding:0 0 0 1rem;border-left:3px solid var(--accent)}
.events li{margin:0 0 .75rem}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{border-top:1px solid var(--line);font-size:.875rem}
`
}
