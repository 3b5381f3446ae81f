"""Prompts: one Markdown file each, with strict placeholders."""
