"""How the HTML page looks."""

STYLE = """\
:root {
  --back: #fff; --text: #1b1f24; --soft: #59636e; --line: #d1d9e0; --raised: #f6f8fa;
  --red: #b3261e; --red-back: #ffebe9; --green: #116329; --green-back: #dafbe1;
  --amber: #7d4e00; --amber-back: #fff8c5; --violet: #6639ba; --blue: #0550ae;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --raised: #151b23;
    --red: #ff9a92; --red-back: #3c1618; --green: #6fdd8b; --green-back: #12331c;
    --amber: #e8b44c; --amber-back: #362a06; --violet: #cba6ff; --blue: #79c0ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 96rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.1rem; color: var(--soft); font-weight: 600; }
h2 { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; font-size: 1.05rem; margin: 2rem 0 .5rem;
  border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
code { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
small, dt, .cause, .equal, .none { color: var(--soft); }
small, .cause, .equal, summary { font-size: .87rem; }
p { margin: .25rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 1rem 0; }
dd { margin: 0; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; font-size: .87rem; }
summary { cursor: pointer; color: var(--soft); }
.verdict { font-size: 1.6rem; font-weight: 650; margin: .2rem 0 1rem; }
.bad, .no, .more { color: var(--red); }
.good, .yes { color: var(--green); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.pair > * { min-width: 0; overflow-wrap: anywhere; }
.side, .sign { color: var(--soft); }
article { margin: .6rem 0; padding: .5rem .8rem; background: var(--raised); border-left: 4px solid var(--amber); }
article.missing { border-color: var(--red); }
article.extra { border-color: var(--green); }
article.not-compared { border-color: var(--violet); }
article.equal { border-color: var(--line); }
.difference { margin: .5rem 0 .2rem; }
.left, .right { padding: .1rem .4rem; border-radius: 3px; }
.left { background: var(--red-back); }
.right { background: var(--green-back); }
.kind { font-size: .8rem; padding: .05rem .4rem; border-radius: 3px; color: var(--amber);
  background: var(--amber-back); }
.kind.missing, .kind.status, .kind.code { color: var(--red); background: var(--red-back); }
.kind.extra { color: var(--green); background: var(--green-back); }
.kind.capability { color: var(--blue); }
.kind.order, .reason { color: var(--violet); }
@media (max-width: 45rem) { .pair, h2 { grid-template-columns: 1fr; gap: .3rem; } }
@media print { body { max-width: none; } article { break-inside: avoid; } }
"""
