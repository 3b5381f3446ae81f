"""Web: pages in a real Chromium, read through the accessibility tree and driven by typed verbs."""
