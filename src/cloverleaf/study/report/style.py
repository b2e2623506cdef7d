"""The report's style sheet: one column, quiet colours, figures in tabular digits, and a print layout."""

CSS = """
:root{--ink:#1c2024;--faint:#5f6770;--rule:#dfe3e8;--wash:#f6f7f8;--good:#1b7f55;--bad:#b3372f;--accent:#1b7f55}
*{box-sizing:border-box}
html{font-size:16px;-webkit-text-size-adjust:100%}
body{margin:0;background:#fff;color:var(--ink);font:1rem/1.55 "Inter","Segoe UI","Helvetica Neue",Arial,"Liberation Sans",sans-serif;
 font-variant-numeric:tabular-nums lining-nums;text-rendering:optimizeLegibility}
main{max-width:812px;margin:0 auto;padding:3.2rem 1.6rem 4rem}
header p.kind{margin:0 0 .3rem;color:var(--accent);font-size:.78rem;font-weight:600;letter-spacing:.09em;text-transform:uppercase}
h1{font-size:2.05rem;line-height:1.15;letter-spacing:-.015em;margin:0 0 .7rem;font-weight:650}
h2{font-size:1.16rem;letter-spacing:-.005em;margin:2.9rem 0 .5rem;font-weight:650;break-after:avoid}
p{margin:.35rem 0 .8rem;max-width:44rem}
.lead{font-size:1.06rem;color:#31373e}
.note,figcaption,.meaning{color:var(--faint);font-size:.86rem;line-height:1.45}
figure{margin:.9rem 0 1.2rem;break-inside:avoid}
figcaption{margin-top:.35rem}
svg{display:block;width:100%;height:auto;font-family:inherit}
.words{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;background:var(--rule);border:1px solid var(--rule);margin:1.5rem 0 .7rem}
.words div{background:#fff;padding:.85rem .95rem .8rem}
.words h3{margin:0;font-size:.76rem;font-weight:600;letter-spacing:.07em;text-transform:uppercase;color:var(--faint)}
.words .big{font-size:1.62rem;line-height:1.2;font-weight:620;letter-spacing:-.02em;margin:.28rem 0 .1rem}
.words small{display:block;color:var(--faint);font-size:.79rem;line-height:1.38}
.good{color:var(--good)}.bad{color:var(--bad)}
table{border-collapse:collapse;width:100%;font-size:.865rem;margin:.7rem 0 .6rem}
th,td{padding:.3rem .55rem .3rem 0;text-align:right;border-bottom:1px solid var(--rule);vertical-align:baseline}
th:first-child,td:first-child{text-align:left}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:600;border-bottom:1.5px solid var(--ink);white-space:nowrap}
tr.word td{padding-top:1rem;font-weight:650;border-bottom:1px solid #b9c0c7;text-transform:capitalize}
td .half{color:var(--faint);font-size:.78rem;white-space:nowrap}
td .unit{color:var(--faint);font-size:.78rem;white-space:nowrap}
td .mark{display:inline-block;width:.9rem;text-align:center}
td.beside,th.beside{color:var(--faint)}
table.text td{text-align:left}table.text th{text-align:left}
table.text td.number,table.text th.number{text-align:right}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:.83em}
pre{background:var(--wash);border-left:3px solid var(--rule);padding:.75rem .95rem;overflow-x:auto;line-height:1.5;font-size:.82rem}
ul{margin:.3rem 0 1rem;padding-left:1.15rem}li{margin:.22rem 0;max-width:44rem}
table.text code{font-size:.74em}
.alert{border-left:3px solid var(--bad);padding:.1rem 0 .1rem .9rem;margin:1rem 0}
.digest{overflow-wrap:anywhere}
footer{margin-top:3rem;padding-top:.9rem;border-top:1px solid var(--rule);color:var(--faint);font-size:.82rem}
@media (max-width:640px){.words{grid-template-columns:repeat(2,1fr)}main{padding:1.6rem 1rem}.scroll{overflow-x:auto}}
@page{size:A4;margin:16mm 15mm}
@media print{html{font-size:10.5pt}main{max-width:none;padding:0}h2{margin-top:1.7rem}tr,li{break-inside:avoid}
 thead{display:table-header-group}
 pre{white-space:pre-wrap}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
