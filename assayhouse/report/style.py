"""Style sheet and script of the pages, as text. Both refer to nothing outside the page."""

STYLE = """
:root { color-scheme: light dark; --ink: #222; --muted: #5c5c5c; --line: #d9d9d9; --paper: #fff;
  --soft: #f5f5f3; --alarm: #9c2a00; --alarm-soft: #fbeee7; --link: #0a5a8c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e2; --muted: #a5a5a2; --line: #44443f;
  --paper: #1b1b1a; --soft: #262624; --alarm: #ff9b70; --alarm-soft: #3a241a; --link: #7cbbe6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 24px 28px 64px; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; padding-top: .8rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.6rem 0 .2rem; }
p { margin: .4rem 0; max-width: 84ch; }
a { color: var(--link); }
code, pre { font-family: "DejaVu Sans Mono", Consolas, monospace; font-size: .84em;
  overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--soft); border: 1px solid var(--line);
  padding: .6rem .8rem; margin: .5rem 0; }
.muted { color: var(--muted); }
.badge { display: inline-block; border: 1.5px solid var(--alarm); color: var(--alarm);
  font-weight: 700; font-size: .82rem; letter-spacing: .05em; padding: .08rem .5rem;
  margin: 0 .5rem .3rem 0; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: .9rem 0 0; padding: 0; }
.facts dt { font-size: .76rem; color: var(--muted); }
.facts dd { margin: 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; padding: 0;
  margin: .1rem 0 0; }
nav b { display: block; margin-top: .7rem; font-size: .86rem; }
figure { margin: 1rem 0; }
.plate { background: #fff; border: 1px solid var(--line); padding: 6px; }
.plate svg { display: block; width: 100%; height: auto; }
figcaption { color: var(--muted); font-size: .86rem; margin-top: .35rem; }
.point { cursor: pointer; }
.point circle { fill: transparent; stroke: none; }
.point:hover circle, .point:focus circle { stroke: #222; stroke-width: 1; }
.point:focus { outline: none; }
.detail { min-height: 6.1em; margin: .5rem 0 0; padding: .55rem .8rem; background: var(--soft);
  border: 1px solid var(--line); font-size: .86rem; white-space: pre-wrap; }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .84rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding: 0 0 .35rem; }
th, td { padding: .24rem .5rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { border-bottom: 1.5px solid var(--muted); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; white-space: nowrap; }
.number { text-align: right; }
tbody td { white-space: nowrap; }
tbody td:last-child { white-space: normal; }
.arm { white-space: nowrap; }
tr.first > * { border-top: 1.5px solid var(--line); }
tr.alarm > * { background: var(--alarm-soft); }
tr.total > * { border-top: 1.5px solid var(--muted); font-weight: 600; }
td.empty { color: var(--muted); font-style: italic; }
.swatch { display: inline-block; width: .7em; height: .7em; margin-right: .4em; }
.cards { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0; padding: 0;
  list-style: none; }
.cards li { border: 1px solid var(--line); padding: .4rem .8rem; min-width: 6.1rem; }
.cards b { display: block; font-size: 1.5rem; line-height: 1.25; font-weight: 600; }
.cards li.alarm { border-color: var(--alarm); color: var(--alarm); }
@media print {
  :root { --ink: #000; --muted: #444; --line: #bbb; --paper: #fff; --soft: #fff; --alarm: #9c2a00;
    --alarm-soft: #fff; --link: #000; }
  main { max-width: none; padding: 0; }
  body { font-size: 10.5pt; }
  nav, .detail { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  thead { display: table-header-group; }
  tr, figure, .facts div { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
}
"""

# Without the script a point keeps its <title>, which every browser shows as a tooltip.
SCRIPT = """
(function () {
  var pinned = null;
  document.querySelectorAll('.point').forEach(function (point) {
    var title = point.querySelector('title');
    var text = title.textContent;
    var detail = point.closest('figure').querySelector('.detail');
    title.remove();
    point.setAttribute('aria-label', text);
    function show() { if (!pinned) { detail.textContent = text; } }
    point.addEventListener('mouseenter', show);
    point.addEventListener('focus', show);
    point.addEventListener('click', function () {
      pinned = pinned === point ? null : point;
      detail.textContent = text;
    });
  });
})();
"""
