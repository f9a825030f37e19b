/** The one style sheet of the dashboard. It names no file and no address: the page asks nobody for anything. */
import { type Colours, DARK, LIGHT } from './colours.ts';

function variables(colours: Colours): string {
  const names = Object.entries(colours).map(([name, value]) => `--${name}:${value}`);
  return names.join(';');
}

/** Phone first: what is beside each other on a wide screen stands below each other on a narrow one. */
const RULES = `
*,::before,::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;overflow-wrap:break-word}
.wide{max-width:80rem;margin:0 auto;padding:1rem}
h1,h2,h3,h4{line-height:1.25;margin:0 0 .5rem;text-wrap:balance}
h1{font-size:clamp(1.4rem,1.1rem + 1.6vw,2.1rem)}
h2{font-size:1.35rem;margin-top:2.25rem}
h3{font-size:1.05rem;margin-top:1.5rem}
p,ul,ol{margin:0 0 .75rem}
ul,ol{padding-left:1.4rem}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px}
code,pre{font:.9em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{overflow-wrap:anywhere}
pre{margin:0 0 .75rem;padding:.6rem .75rem;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--plainFill);border-radius:.4rem}
pre code{font-size:1em}
td code{font-size:.8125rem}
.verdict{border-left:.5rem solid;border-radius:.5rem;padding:1rem 1.1rem .4rem}
.verdict p{max-width:60rem}
.info{border-color:var(--good);background:var(--goodFill)}
.warning{border-color:var(--doubt);background:var(--doubtFill)}
.critical{border-color:var(--bad);background:var(--badFill)}
.made{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:baseline;margin:1rem 0 0}
.made time{font-size:1.35rem;font-weight:700;white-space:nowrap}
.made p{margin:0;flex:1 1 20rem}
nav ul{display:flex;flex-wrap:wrap;gap:.1rem 1.25rem;list-style:none;padding:0;margin:1rem 0 0}
nav a{display:inline-block;padding:.3rem 0}
.card{background:var(--card);border:1px solid var(--rule);border-radius:.6rem;padding:1rem;margin:0 0 1rem}
.card>:last-child,.verdict>:last-child{margin-bottom:0}
.muted{color:var(--muted)}
.small{font-size:.875rem}
.badge{display:inline-block;border:1px solid;border-radius:.35rem;padding:0 .45rem;font-size:.8125rem;font-weight:600;line-height:1.5;white-space:nowrap;vertical-align:.1em}
.badge.good{color:var(--good);background:var(--goodFill)}
.badge.doubt{color:var(--doubt);background:var(--doubtFill)}
.badge.bad{color:var(--bad);background:var(--badFill)}
.badge.plain{color:var(--plain);background:var(--plainFill)}
.findings{list-style:none;padding:0}
.findings>li{background:var(--card);border:1px solid var(--rule);border-left:.35rem solid var(--plain);border-radius:.5rem;padding:.7rem .9rem;margin:0 0 .6rem}
.findings>li.bad{border-left-color:var(--bad)}
.findings>li.doubt{border-left-color:var(--doubt)}
.findings p{margin:.3rem 0 0;max-width:60rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(13rem,100%),1fr));gap:.6rem 1.5rem;margin:0 0 1rem}
.facts div{border-top:3px solid var(--rule);padding-top:.3rem}
.facts dt{color:var(--muted);font-size:.875rem}
.facts dd{margin:0}
.facts strong{font-size:1.1rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(18.5rem,100%),1fr));gap:1rem 1.5rem;margin:0 0 1rem}
figure{margin:0;max-width:32rem;display:flex;flex-direction:column}
figure>svg{margin-top:auto}
figcaption{font-size:.875rem;margin-bottom:.3rem}
figcaption strong{display:block;font-size:1rem}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--muted);font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.grid{stroke:var(--rule);stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.first{stroke:var(--first)}
.second{stroke:var(--second)}
.dashed{stroke-dasharray:5 4}
.dot.first{fill:var(--first);stroke:none}
.dot.second{fill:var(--second);stroke:none}
.stem{stroke:var(--first);stroke-width:2}
.mark-passed{fill:var(--good)}
.mark-partial{fill:var(--doubt)}
.mark-failed{fill:none;stroke:var(--bad);stroke-width:2.5}
.key{display:inline-block;width:1.6rem;height:.6rem;margin-right:.3rem;vertical-align:middle}
.scroll{overflow-x:auto;margin:0 0 .75rem}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
caption{text-align:left;color:var(--muted);font-size:.875rem;padding-bottom:.3rem}
tbody th{font-weight:500}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--rule)}
.scroll th,.scroll td{white-space:nowrap}
.scroll .words{white-space:normal;min-width:14rem}
th{font-weight:600}
.scroll .number{text-align:right;padding-right:1.25rem;font-variant-numeric:tabular-nums}
thead th{color:var(--muted);font-size:.8125rem}
.calendar{max-width:30rem;table-layout:fixed}
.calendar th,.calendar td{text-align:center;padding:.15rem;border:0}
.calendar thead th:first-child,.calendar tbody th{width:3.6rem;text-align:left;white-space:nowrap;font-size:.8125rem;font-weight:400;color:var(--muted);vertical-align:middle}
.day{display:block;border:1px solid;border-radius:.35rem;line-height:1.25;padding:.1rem 0;min-height:3.4rem;font-size:.75rem}
.day b{display:block;font-size:.95rem}
.day.good{color:var(--good);background:var(--goodFill)}
.day.doubt{color:var(--doubt);background:var(--doubtFill)}
.day.bad{color:var(--bad);background:var(--badFill)}
.day.plain{color:var(--muted);background:var(--plainFill)}
.today{outline:2px solid var(--text);outline-offset:1px}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.875rem;color:var(--muted)}
.legend b{color:var(--text)}
.note{margin-bottom:.3rem}
summary{cursor:pointer;padding:.3rem 0}
.bar{max-width:30rem;height:.9rem;margin-bottom:1rem}
.bar-ground{fill:var(--plainFill)}
.bar-good{fill:var(--good)}
.bar-doubt{fill:var(--doubt)}
.bar-bad{fill:var(--bad)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{color:var(--muted);font-size:.875rem;margin-top:2.5rem;border-top:1px solid var(--rule);padding-top:1rem}
@media (min-width:60rem){.halves{display:grid;grid-template-columns:minmax(0,26rem) minmax(0,1fr);gap:0 2.5rem}}
@media (max-width:30rem){.wide{padding:.75rem}.card{padding:.75rem}}
@media (forced-colors:active){.badge,.day,.verdict{border-color:CanvasText}}
@media print{body{background:#fff}.wide{max-width:none;padding:0}nav{display:none}.card,.findings>li,figure,tr{break-inside:avoid}.scroll{overflow:visible}.scroll th,.scroll td{white-space:normal}details::details-content{content-visibility:visible;block-size:auto}a{color:inherit}}
`;

/** Ink on white, also where the screen is dark. */
export const STYLES = [
  `:root{color-scheme:light dark;${variables(LIGHT)}}`,
  `@media screen and (prefers-color-scheme:dark){:root{${variables(DARK)}}}`,
  RULES.trim(),
].join('\n');
