"""What the report formats share: safe text, words and numbers, markup, drawings. No plug-ins here."""
