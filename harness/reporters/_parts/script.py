"""The one script of a page: it shows and hides the listed cases. Without it every case is shown.

It reads what the page holds and asks for nothing; the page's policy names it by its hash, so that no other can run.
Text from answers is compared with what is typed, and never becomes markup or code.
"""

from __future__ import annotations

SCRIPT = """
(function () {
  "use strict";
  var bar = document.getElementById("filter");
  if (!bar) { return; }
  var cases = Array.prototype.slice.call(document.querySelectorAll("details.case"));
  var find = document.getElementById("find");
  var choices = ["metric", "status", "slice"].map(function (name) {
    return [name, document.getElementById("by-" + name)];
  });
  var said = document.getElementById("filtered");
  var texts = null;
  var waiting = 0;
  function matches(one, at, words) {
    for (var i = 0; i !== choices.length; i += 1) {
      var wanted = choices[i][1].value;
      if (wanted && one.getAttribute("data-" + choices[i][0]).split("\\n").indexOf(wanted) === -1) { return false; }
    }
    return words.every(function (word) { return texts[at].indexOf(word) !== -1; });
  }
  function apply() {
    var words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    if (words.length && texts === null) {
      texts = cases.map(function (one) { return one.textContent.toLowerCase(); });
    }
    var shown = 0;
    cases.forEach(function (one, at) {
      var keep = matches(one, at, words);
      one.hidden = !keep;
      if (keep) { shown += 1; }
    });
    said.textContent = shown + " of " + cases.length + " cases of this page shown";
    bar.setAttribute("data-applied", String(shown));
  }
  find.addEventListener("input", function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(apply, 60);
  });
  choices.forEach(function (choice) { choice[1].addEventListener("change", apply); });
  document.getElementById("unfold").addEventListener("click", function () {
    var fold = cases.some(function (one) { return !one.hidden && !one.open; });
    cases.forEach(function (one) { if (!one.hidden) { one.open = fold; } });
  });
  bar.hidden = false;
  bar.setAttribute("data-ready", "yes");
}());
"""
