"""How a report looks: light and dark, on a telephone and on paper."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f8; --line: #d5d9de; --text: #1b1f24; --soft: #4f5861;
  --accent: #00588a; --better: #00588a; --worse: #a33c00;
  --h1: #eaf3f8; --h2: #cfe4f0; --h3: #a9d0e6; --h4: #7fb9da; --h5: #58a2cd; --on-heat: #10161b; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14181c; --panel: #1d2328; --line: #3a434c; --text: #eceff2; --soft: #b3bcc5;
  --accent: #7cc4ee; --better: #7cc4ee; --worse: #ffab7a;
  --h1: #18262f; --h2: #183343; --h3: #174259; --h4: #155370; --h5: #126388;
  --on-heat: #ffffff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 72rem; background: var(--page);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: 1rem;
  border-top: 1px solid var(--line); overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; overflow-wrap: anywhere; }
h4 { font-size: .9375rem; margin: 0; font-weight: 600; overflow-wrap: anywhere; }
p { margin: .25rem 0; max-width: 60rem; overflow-wrap: anywhere; }
.soft, caption, .note { color: var(--soft); font-size: .875rem; }
.cards { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
.card { padding: .75rem .875rem; background: var(--panel); border: 1px solid var(--line);
  border-radius: .375rem; display: flex; flex-direction: column; min-width: 0; }
.card p { margin: 0; font-size: .875rem; }
.card .value { font-size: 1.5rem; line-height: 1.35; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.card .spark { margin-top: auto; padding-top: .5rem; }
.better { color: var(--better); fill: var(--better); }
.worse { color: var(--worse); fill: var(--worse); }
.neutral { color: var(--text); fill: var(--soft); }
.fill { fill: var(--accent); }
.spark { width: 100%; height: 3.25rem; display: block; }
.spark * { fill: none; stroke: var(--accent); vector-effect: non-scaling-stroke; }
.spark polyline { stroke-width: 1.75px; stroke-linejoin: round; }
.spark path { stroke-width: 7px; stroke-linecap: round; }
.bar { display: block; width: 100%; min-width: 8rem; height: 1.1rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.box { overflow-x: auto; margin: .5rem 0 1rem; position: relative; }
.box:focus-visible { outline: 2px solid var(--accent); }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
.box > table { width: 100%; max-width: 60rem; }
caption { text-align: left; padding-bottom: .25rem; }
caption span { display: block; position: sticky; left: 0; max-width: min(60rem, 100vw - 2.5rem); }
th, td { padding: .35rem 1rem .35rem 0; text-align: right; vertical-align: top;
  white-space: nowrap; border-bottom: 1px solid var(--line); }
th[scope=row], thead th:first-child, .words td, .words th { text-align: left; }
th[scope=row] { font-weight: 600; min-width: 9rem; }
.box > table th[scope=row] { white-space: normal; overflow-wrap: break-word; max-width: 18rem; }
tr > :last-child { padding-right: 0; }
td:has(> .bar), th:has(> .unseen) { width: 40%; }
.words td, .words th { white-space: normal; overflow-wrap: break-word; }
.words td { min-width: 6rem; }
.words .box > table th[scope=row], .heat .box > table th[scope=row] {
  white-space: nowrap; min-width: 0; }
.entries { margin-top: .75rem; columns: 2 22rem; column-gap: 2.5rem; }
.entry { break-inside: avoid; padding-bottom: 1rem; }
.entry h3 { margin: 0; }
.entry p { margin: .125rem 0; font-size: .875rem; }
code { font: .8125rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.heat td, .heat thead th + th { padding: .35rem .5rem; text-align: center; }
.heat td span { display: block; margin: -.35rem -.5rem; padding: .35rem .5rem;
  color: var(--on-heat); }
.h0 { background: transparent; }
.h1 { background: var(--h1); } .h2 { background: var(--h2); } .h3 { background: var(--h3); }
.h4 { background: var(--h4); } .h5 { background: var(--h5); }
@media (max-width: 30rem) { body { padding: 1rem .875rem 2rem; }
  .cards { grid-template-columns: 1fr; gap: .5rem; } }
@media print {
  :root { color-scheme: light; --page: #fff; --panel: #fff; --line: #bbb; --text: #000;
    --soft: #333; --accent: #00588a; --better: #00588a; --worse: #a33c00;
    --h1: #eaf3f8; --h2: #cfe4f0; --h3: #a9d0e6; --h4: #7fb9da; --h5: #58a2cd; --on-heat: #000; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  .box { overflow: visible; }
  table { font-size: 8.5pt; } th, td { padding-right: .6rem; } .bar { min-width: 4rem; }
  td:has(> .bar), th:has(> .unseen) { width: 25%; }
  .heat td, .heat thead th + th { padding: .3rem .2rem; }
  .cards { grid-template-columns: repeat(3, 1fr); }
  .card, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } }
"""
