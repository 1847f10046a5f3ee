#!/usr/bin/env bash
# Makes docs/images/report.png again, a picture of the latest report of the visits suite: make parity && docs/images/make.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  { echo "docs/images/make.sh: no Chromium on PATH" >&2; exit 2; }
run=$(ls -d reports/*-visits-*/ | tail -n 1)
"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=0.8 --window-size=1280,1345 \
  --screenshot="$PWD/docs/images/report.png" "file://$PWD/${run}report.html" 2>/dev/null
echo "docs/images/report.png shows ${run}report.html"
