"""How the report's page looks: light, in columns of numbers, and on A4 when it is printed."""

STYLE = """\
:root { color-scheme: light; }
html { background: #fff; color: #1a1a1a; font: 15px/1.5 system-ui, "Liberation Sans", sans-serif; }
body { margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0.75rem; padding-top: 0.75rem; border-top: 2px solid #1a1a1a; }
h3 { font-size: 1rem; margin: 2rem 0 0.25rem; }
p, ul, dl { margin: 0 0 0.75rem; max-width: 46rem; }
ul { padding-left: 1.25rem; }
code { font: 0.85em/1.4 ui-monospace, "Liberation Mono", monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.25rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0.25rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.75rem 0.35rem 0; }
th, td { border-bottom: 1px solid #c8c8c8; }
thead th { border-bottom: 1px solid #1a1a1a; }
.number { text-align: right; padding-right: 0; white-space: nowrap; }
tbody th[scope="rowgroup"] { padding-top: 0.9rem; font-weight: 600; }
tbody th small { font-weight: 400; color: #4a4a4a; }
.why { width: 32%; }
@page { size: A4; margin: 18mm 16mm; }
@media print {
  html { font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  h2, h3, caption, tbody th[scope="rowgroup"] { break-after: avoid; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
  p { orphans: 3; widows: 3; }
}
"""
