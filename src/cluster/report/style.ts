/** The looks of a report: light and dark, phone to projector, and A4 paper. Colours are of the Okabe-Ito set. */
export const style = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#14181f;--soft:#515b69;--line:#dde1e7;--good:#00704f;--bad:#b3400a;--info:#00609a;--band:#e69f0038;--main:#0072b2;--second:#d55e00;--goodfill:#e3f3ed;--badfill:#fdeae0;--infofill:#e5f0f8}
@media (prefers-color-scheme:dark){:root{--page:#10141a;--card:#191e26;--text:#e8ecf1;--soft:#a5afbc;--line:#313946;--good:#4cc9a0;--bad:#ff9a62;--info:#6cbcf0;--band:#e69f0040;--main:#56b4e9;--second:#ff9a62;--goodfill:#12332a;--badfill:#3d2214;--infofill:#15303f}}
*{box-sizing:border-box;margin:0}
html{font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif;-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{background:var(--page);color:var(--text);font-variant-numeric:tabular-nums}
main{max-width:1080px;margin:0 auto;padding:40px 24px 64px;display:grid;grid-template-columns:minmax(0,1fr);gap:28px}
h1{font-size:2rem;line-height:1.2;font-weight:680;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;font-weight:650;letter-spacing:-.01em}
h3{font-size:1rem;font-weight:620}
.kind,.when,.soft,figcaption{color:var(--soft)}
.kind{font-weight:600;margin-bottom:6px}
.when{margin-top:8px}
section{display:grid;grid-template-columns:minmax(0,1fr);gap:14px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:22px 24px}
.verdict{display:flex;gap:18px;align-items:center;border-radius:14px;padding:22px 24px;background:var(--infofill);color:var(--info)}
.verdict.held{background:var(--goodfill);color:var(--good)}
.verdict.failed,.verdict.violated{background:var(--badfill);color:var(--bad)}
.verdict svg{flex:none;width:52px;height:52px}
.verdict strong{display:block;font-size:1.7rem;line-height:1.2;font-weight:700}
.verdict p{color:var(--text)}
.prose p+p{margin-top:6px}
.why{list-style:none;padding:0;display:grid;gap:10px}
.why li{display:grid;grid-template-columns:22px 11em minmax(0,1fr);gap:4px 12px;align-items:start}
.why svg{width:20px;height:20px;margin-top:3px}
.why b{font-weight:620}
.good{color:var(--good)}.bad{color:var(--bad)}.open{color:var(--soft)}
.steps{list-style:none;padding:0;display:grid;gap:12px;counter-reset:step}
.steps>li{break-inside:avoid}
.steps header{display:flex;justify-content:space-between;gap:16px;align-items:center}
.steps dl{display:grid;grid-template-columns:7em minmax(0,1fr);gap:6px 14px;margin-top:10px}
.steps dt{color:var(--soft)}
.steps ul{list-style:none;padding:0}
.tag{font-weight:650;white-space:nowrap;display:inline-flex;align-items:center;gap:6px}
.tag svg{width:18px;height:18px;flex:none}
.say{color:var(--soft);margin-top:4px;max-width:75ch}
.tiles{display:grid;grid-template-columns:repeat(6,minmax(0,1fr));gap:1px;background:var(--line);border:1px solid var(--line);border-radius:12px;overflow:hidden}
.tiles div{background:var(--card);padding:14px 18px}
.tiles dt{color:var(--soft);font-size:.875rem}
.tiles dd{font-size:1.45rem;font-weight:640;line-height:1.3;margin:0;white-space:nowrap}
figure{break-inside:avoid}
figcaption{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.9rem;margin-bottom:8px}
figcaption b{color:var(--text);font-weight:620;margin-right:auto}
figure+figure{margin-top:26px}
.key::before{content:"";display:inline-block;width:18px;height:0;border-top:3px solid var(--main);margin-right:7px;vertical-align:middle}
.key.second::before{border-top:3px dashed var(--second)}
.key.band::before{height:12px;border:0;background:var(--band);outline:1px solid #e69f00}
.key.mark::before{width:0;height:13px;border:0;border-left:2px dashed var(--soft);margin-left:6px}
.chart{display:grid;grid-template-columns:auto minmax(0,1fr);gap:8px}
.axis{display:flex;flex-direction:column;justify-content:space-between;text-align:right;color:var(--soft);font-size:.8rem;line-height:1;min-width:3.6em}
.chart svg{width:100%;height:150px;display:block;overflow:visible}
.ends{display:flex;justify-content:space-between;color:var(--soft);font-size:.8rem;margin:6px 0 0 calc(3.6em + 8px)}
.line{fill:none;stroke:var(--main);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.line.second{stroke:var(--second);stroke-dasharray:6 4}
.line.dots{stroke-width:8;stroke-linecap:round;stroke-dasharray:none}
.grid{fill:none;stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.band{fill:var(--band)}
.mark{fill:none;stroke:var(--soft);stroke-width:2;stroke-dasharray:4 3;vector-effect:non-scaling-stroke}
.lanes{display:grid;grid-template-columns:auto minmax(0,1fr);gap:8px;align-items:center}
.lanes b{font-size:.8rem;font-weight:620;min-width:3.6em;text-align:right}
.lane{width:100%;height:38px;display:block;background:var(--page);border-radius:4px}
.bars{fill:var(--main)}
.wide{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.875rem}
th{color:var(--soft);font-weight:600;text-align:left;white-space:nowrap}
th,td{padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.num,th.num{text-align:right}
td.time{white-space:nowrap}
td.text{overflow-wrap:anywhere;min-width:14em}
code{font:0.85em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
details{border-top:1px solid var(--line);padding:12px 0}
details:last-of-type{border-bottom:1px solid var(--line)}
summary{cursor:pointer;font-weight:600}
summary .soft{font-weight:400;margin-left:8px}
details[open]>summary{margin-bottom:10px}
footer{color:var(--soft);font-size:.875rem}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:6px 18px}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
@media (max-width:1000px){.tiles{grid-template-columns:repeat(4,minmax(0,1fr))}}@media (min-width:1700px){html{font-size:20px}main{max-width:1380px}}
@media (max-width:640px){main{padding:22px 14px 40px;gap:22px}.card{padding:16px 14px}h1{font-size:1.5rem}.verdict{padding:16px 14px;gap:14px}.verdict svg{width:38px;height:38px}.verdict strong{font-size:1.3rem}.why li{grid-template-columns:22px minmax(0,1fr)}.why li span{grid-column:2}.steps dl{grid-template-columns:minmax(0,1fr);gap:2px}.steps dd+dt{margin-top:8px}.tiles{grid-template-columns:1fr 1fr}.tiles dd{font-size:1.2rem}.facts{grid-template-columns:minmax(0,1fr);gap:0}.facts dd{margin-bottom:8px}figcaption b{flex-basis:100%}.steps header{flex-direction:column;gap:2px;align-items:flex-start}}
@page{size:A4;margin:15mm 14mm}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--text:#000;--soft:#444;--line:#c9ced6;--good:#00704f;--bad:#b3400a;--info:#00609a;--band:#e69f0038;--main:#0072b2;--second:#d55e00;--goodfill:#e3f3ed;--badfill:#fdeae0;--infofill:#e5f0f8}html{font-size:10.5pt}body{print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0;gap:16px}.card{padding:12px 14px}section.page{break-before:page}h2{break-after:avoid}.wide{overflow:visible}tr,.verdict,.tiles,.why li{break-inside:avoid}.tiles{grid-template-columns:repeat(6,1fr)}.tiles div{padding:8px 10px}.tiles dd{font-size:1.1rem}th,td{padding:3px 8px 3px 0}table{font-size:8pt}td.text{min-width:0}.chart svg{height:110px}}
`
