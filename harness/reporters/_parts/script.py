"""The one script of the page: it hides cases and does nothing else, and the page's own policy admits it by its hash.

It reads what is in the page, writes no markup, keeps nothing, asks the network for nothing. Its controls are in the
page and hidden; it shows them, so that a reader without scripts sees every case and no dead control.
"""

from __future__ import annotations

# data-o: outcome; data-r: numbers of reasons; data-s: numbers of slices, as the options of the three lists have them.
# A row of the index of pages holds all that its page holds, and no text to search.
SCRIPT = """
"use strict";
(() => {
  const box = document.getElementById("find");
  if (!box) return;
  const words = document.getElementById("find-words");
  const lists = ["o", "r", "s"].map((key) => [key, document.getElementById("find-" + key)]);
  const said = document.getElementById("find-said");
  const split = (text) => new Set((text || "").split(" "));
  const cases = Array.from(document.querySelectorAll("[data-o]"), (node) => ({
    node, paged: node.tagName === "TR", text: null,
    o: split(node.dataset.o), r: split(node.dataset.r), s: split(node.dataset.s)
  }));
  const holds = (one, wanted) => one.paged || wanted.every((word) => one.text.includes(word));
  const sift = () => {
    const wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0, all = 0, pages = 0;
    for (const one of cases) {
      if (wanted.length && one.text === null) one.text = one.node.textContent.toLowerCase();
      const fits = lists.every(([key, list]) => !list.value || one[key].has(list.value)) && holds(one, wanted);
      if (one.node.hidden === fits) one.node.hidden = !fits;
      if (one.paged) pages += fits; else { all += 1; shown += fits; }
    }
    const more = `; pages below that may hold more: ${pages.toLocaleString("en")}`;
    said.textContent = `${shown.toLocaleString("en")} of ${all.toLocaleString("en")} cases on this page` +
      (cases.some((one) => one.paged) ? more : "");
  };
  const open = (value) => {
    for (const one of cases) if (!one.paged && !one.node.hidden) one.node.open = value;
  };
  words.addEventListener("input", sift);
  for (const [, list] of lists) list.addEventListener("change", sift);
  document.getElementById("find-open").addEventListener("click", () => open(true));
  document.getElementById("find-close").addEventListener("click", () => open(false));
  box.hidden = false;
  sift();
})();
"""
