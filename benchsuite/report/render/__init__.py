"""From tables, figures and texts to HTML, Markdown, LaTeX and SVG; nothing here knows what a section asks."""
