"""How the page looks: one stylesheet, two palettes, and the hash by which the page's own policy admits it.

No font, picture or script is loaded; one script stands in the page itself. Every colour is a name, so that dark mode
and print only change the palette; `tests/reporters/test_html.py` holds each text colour to a contrast of 4.5 to 1.
"""

from __future__ import annotations

import base64
import hashlib

from harness.reporters._parts.script import SCRIPT

# name -> (light, dark). Source and target are blue and orange, which the common colour deficiencies keep apart.
PALETTE = {
    "paper": ("#ffffff", "#14171c"),
    "panel": ("#f5f6f8", "#1c2027"),
    "ink": ("#1b2130", "#e6e8ec"),
    "soft": ("#566074", "#a3abb8"),
    "rule": ("#d9dde5", "#343a45"),
    "go": ("#17703f", "#63d095"),
    "nogo": ("#b3261e", "#ff9b92"),
    "open": ("#855400", "#ecbb55"),
    "source": ("#2459ad", "#8db8fa"),
    "target": ("#a84a00", "#f5a864"),
    "marked": ("#ffe9b8", "#4d3b0c"),
    "beyond": ("#e9ebf0", "#272c35"),
}


def _palette(column: int) -> str:
    return "".join(f"--{name}:{colours[column]};" for name, colours in PALETTE.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{
  margin:0;background:var(--paper);color:var(--ink);
  font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif
}
header,main,footer{max-width:80rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.25rem}
h1{font-size:1.6rem;line-height:1.25;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 .35rem;letter-spacing:-.005em}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.35rem 0 .9rem;max-width:68ch}
section{margin:2.75rem 0 0}
a{color:var(--source)}
code,pre,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:.875em}
code,.mono{overflow-wrap:anywhere}
.soft,.eyebrow{color:var(--soft)}
.small{font-size:.875rem}
.eyebrow{font-size:.875rem;margin:0 0 .2rem;max-width:none}
.hide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{
  position:absolute;left:-999rem;top:.5rem;padding:.5rem 1rem;background:var(--paper);color:var(--ink);
  border:2px solid var(--ink);z-index:1
}
.skip:focus{left:.5rem}
:focus-visible{outline:3px solid var(--source);outline-offset:2px}
nav ul{
  list-style:none;margin:1.25rem 0 0;padding:.6rem 0;display:flex;flex-wrap:wrap;gap:.35rem 1.4rem;
  border-top:1px solid var(--rule);border-bottom:1px solid var(--rule);font-size:.9rem
}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
.u{
  font-style:normal;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.75em;padding:0 .25em;margin:0 .1em;
  border:1px solid var(--soft);border-radius:3px;color:var(--soft);unicode-bidi:isolate
}
.banner{margin:1.25rem 0 0;padding:.75rem 1rem;border:2px dashed var(--open);border-radius:8px}
.banner,.decision{overflow-wrap:anywhere}
.banner strong{letter-spacing:.04em}
.decision{
  margin-top:1.5rem;padding:1.5rem 1.75rem 1.4rem;background:var(--panel);border-radius:12px;
  border-left:8px solid var(--soft)
}
.decision.go{border-left-color:var(--go)}
.decision.nogo{border-left:8px double var(--nogo)}
.decision.open{border-left:8px dashed var(--open)}
.decision h2{display:flex;align-items:center;gap:.7rem;font-size:1.9rem;margin:0;letter-spacing:.01em}
.decision .said{font-size:1.15rem;line-height:1.5;margin:.7rem 0 .4rem;max-width:72ch}
.decision .said p{margin:.4rem 0}
.decision .said ul{margin:.4rem 0;padding-left:1.2rem}
.decision .said li{margin:.15rem 0}
.decision ul{margin:.4rem 0 .8rem;padding-left:1.2rem}
.decision .limits{margin-bottom:0;max-width:88ch;font-size:.925rem;color:var(--soft)}
.go{color:var(--go)}.nogo{color:var(--nogo)}.open{color:var(--open)}
.decision.go,.decision.nogo,.decision.open{color:var(--ink)}
.decision.go h2{color:var(--go)}.decision.nogo h2{color:var(--nogo)}.decision.open h2{color:var(--open)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.2rem 2rem;margin:1.5rem 0 0}
.facts div{padding:.5rem 0}
dt{font-size:.8rem;color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.facts dd{font-size:1.05rem;font-weight:600;line-height:1.35}
.facts dd small{display:block;font-weight:400;font-size:.85rem;color:var(--soft)}
.scroll{position:relative;overflow-x:auto;margin:.75rem 0 0}
table{border-collapse:collapse;width:100%;font-size:.925rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding:0 0 .5rem}
th,td{text-align:left;vertical-align:top;padding:.6rem 1rem .6rem 0;border-bottom:1px solid var(--rule)}
th:last-child,td:last-child{padding-right:0}
thead th{
  font-size:.8rem;font-weight:600;color:var(--soft);vertical-align:bottom;white-space:nowrap;
  border-bottom:1px solid var(--soft)
}
tbody th{font-weight:600;min-width:9rem;overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap}
.fit{width:1%}
.criteria tbody{border-bottom:1px solid var(--soft)}
.criteria tr:last-child>*{border-bottom:0}
.criteria .name{min-width:11.5rem}
.criteria .why{min-width:14rem}
.criteria .slice th{position:relative;font-weight:400;font-size:.875rem;padding-left:1rem}
.criteria .slice th::before{
  content:"";position:absolute;left:.15rem;top:.85rem;width:.5rem;height:.5rem;border-left:1px solid var(--soft);
  border-bottom:1px solid var(--soft)
}
.verdict{display:inline-flex;align-items:center;gap:.4rem;font-weight:700;white-space:nowrap}
.sub{display:block;font-weight:400;font-size:.85rem;color:var(--soft)}
.mark{flex:none}
.mark .shape{fill:currentColor}
.mark .sign{fill:none;stroke:var(--paper);stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
.interval{display:block;width:13rem;height:auto}
.interval .beyond{fill:var(--beyond)}
.interval .edge{stroke:var(--ink);stroke-width:2}
.interval .same{stroke:var(--soft);stroke-width:1.25;stroke-dasharray:2 3}
.interval .span{stroke:currentColor;stroke-width:3}
.interval .cap{stroke:currentColor;stroke-width:3}
.interval .tip,.interval .dot{fill:currentColor}
.interval text{fill:var(--soft);font-size:11.5px;font-weight:400}
.interval .mid{text-anchor:middle}
.end{text-anchor:end}
.latencies{display:block;width:100%;max-width:60rem;height:auto;margin:.75rem 0 0}
.latencies .source{fill:var(--source)}
.latencies .target{fill:var(--paper);stroke:var(--target);stroke-width:1.5}
.latencies .axis{stroke:var(--soft)}
.latencies .percentile{stroke:var(--ink);stroke-dasharray:3 2}
.latencies .tick{fill:var(--soft);font-size:10.5px}
.latencies .side{fill:var(--ink);font-size:12.5px;font-weight:600}
.multiples{
  display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:1rem 2.5rem;margin:.5rem 0 0
}
figure{margin:.5rem 0;min-width:0}
figcaption{font-size:.925rem;overflow-wrap:anywhere}
.nights{display:block;width:100%;max-width:34rem;height:auto;margin:.4rem 0 0}
.nights .grid{stroke:var(--rule)}
.nights .bar{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:5 3}
.nights .bar.nogo{stroke-dasharray:2 3}
.nights .epoch{stroke:var(--soft);stroke-dasharray:1 3}
.nights .tick{fill:var(--soft);font-size:11px}
.nights .mid,.latencies .mid{text-anchor:middle}
.nights .line{fill:none;stroke:currentColor;stroke-width:1.75}
.nights .nogo.line{stroke-dasharray:4 3}
.nights .go.point{fill:currentColor}
.nights .nogo.point{fill:var(--paper);stroke:currentColor;stroke-width:1.75}
[hidden]{display:none!important}
.find{margin:.75rem 0 1rem;padding:.75rem .9rem .3rem;background:var(--panel);border-radius:8px}
.controls{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end}
.controls label{display:block;font-size:.8rem;color:var(--soft)}
.controls input,.controls select,.controls button{
  font:inherit;font-size:.925rem;color:var(--ink);background:var(--paper);border:1px solid var(--soft);
  border-radius:6px;padding:.3rem .55rem;min-height:2.25rem;max-width:min(22rem,100%)
}
.controls div:first-child{flex:1 1 14rem}
.controls input{width:100%;max-width:none}
.controls button{cursor:pointer}
.outcome{font-weight:600}
.outcome.failed,.outcome.differs{color:var(--nogo)}.outcome.unscored{color:var(--open)}.outcome.matches{color:var(--go)}
.said-of{display:block;font-size:.925rem}
.case{position:relative;overflow:clip;border:1px solid var(--rule);border-radius:8px;margin:.6rem 0}
.case summary{cursor:pointer;padding:.65rem .9rem;overflow-wrap:anywhere}
.case summary h3{display:inline;margin:0 .5rem 0 0;font-size:.95rem}
.case[open] summary{border-bottom:1px solid var(--rule)}
.sides{display:grid;grid-template-columns:1fr 1fr}
.sides>*{padding:.7rem .9rem;min-width:0}
.sides>:nth-child(2){border-left:1px solid var(--rule)}
.asked{grid-column:1/-1;border-top:1px solid var(--rule)}
.case h4{margin:0 0 .3rem;font-size:.8rem;font-weight:600;color:var(--soft)}
.case pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;overflow:hidden;line-height:1.5}
mark{background:var(--marked);color:inherit;border-bottom:2px solid var(--open);padding:.05em 0}
mark:empty{padding:0 .15em}
mark::before,mark::after{
  position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap
}
mark::before{content:" [difference: "}
mark::after{content:"] "}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:0 3rem}
.pairs{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.5rem;margin:.75rem 0 0;font-size:.925rem}
.pairs dt{font-size:inherit}
footer{margin-top:3.5rem;padding-top:1rem;padding-bottom:2.5rem}
.signature{border-top:1px solid var(--rule);padding-top:1rem;max-width:none}
@media(max-width:44rem){
header,main,footer{padding-left:1rem;padding-right:1rem}
.sides{grid-template-columns:1fr}
.sides>:nth-child(2){border-left:0;border-top:1px solid var(--rule)}
.pairs{grid-template-columns:1fr}
.pairs dd{margin-bottom:.5rem}
}
@media(forced-colors:active){mark{forced-color-adjust:none}}
@page{size:landscape;margin:12mm}
@media print{
html{font-size:12px}
nav,.skip,.find{display:none}
header,main,footer{max-width:none;padding-left:0;padding-right:0}
header{padding-top:0}
section{margin-top:2rem}
.scroll{overflow:visible}
tr,.case,.decision,svg,figure{break-inside:avoid}
h2,h3{break-after:avoid}
.decision,mark,.beyond,.latencies rect{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""

CSS = (
    f":root{{color-scheme:light dark;{_palette(0)}}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_palette(1)}}}}}"
    f"{_RULES}"
)

# `frame-ancestors` would belong here, and browsers ignore it in a <meta>: a server that shows reports must send it.
POLICY = (
    "default-src 'none'; img-src 'none'; base-uri 'none'; form-action 'none'; "
    f"script-src {_hash(SCRIPT)}; style-src {_hash(CSS)}"
)
