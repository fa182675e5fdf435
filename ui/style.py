"""How the page looks: Gradio's own theme with the machine's own fonts, and the cards' style."""

from __future__ import annotations

from gradio import themes


def theme() -> themes.Base:
    """Return the page's theme; its fonts are those of the machine, so that none is fetched."""
    return themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=[themes.Font("system-ui"), themes.Font("sans-serif")],
        font_mono=[themes.Font("ui-monospace"), themes.Font("monospace")],
    )


# Colours are the theme's variables, so that light and dark need no rules of their own.
CSS = """
.gradio-container main.fillable { padding: 0.75rem clamp(0.75rem, 2vw, 2rem) !important; }

.gradio-container {
  --bf-quiet: color-mix(in srgb, var(--body-text-color) 72%, var(--body-background-fill));
  --bf-link: color-mix(in srgb, var(--color-accent) 65%, var(--body-text-color));
}
#bf-banner, #bf-banner .prose { font-size: var(--text-sm); color: var(--bf-quiet); }
#bf-banner span::before { content: "·"; margin: 0 0.5em; }
#bf-banner strong { color: var(--body-text-color); font-size: var(--text-md); }

#bf-desk { align-items: stretch; gap: 1rem; }
@media (min-width: 720px) {
  #bf-asking, #bf-reading { height: calc(100dvh - 5.5rem); }
  #bf-reading { overflow-y: auto; }
}
#bf-asking { display: flex; flex-direction: column; flex-wrap: nowrap; }
#bf-conversation { flex: 1 1 auto; min-height: 18rem; }
#bf-question { flex: 0 0 auto; overflow: visible !important; height: auto !important; }
#bf-question button { background: var(--button-primary-background-fill); }
#bf-question button { color: var(--button-primary-text-color); }
#bf-conversation .placeholder { padding: 1.5rem; }
#bf-conversation .example-text { overflow-wrap: anywhere; }

.bf-statement { margin: 0 0 0.8em; line-height: 1.55; }
.bf-note { margin: 0 0 0.4em; font-size: var(--text-sm); color: var(--bf-quiet); }
.bf-refused { margin: 0 0 0.6em; font-weight: 600; }
#bf-conversation .bf-note { color: var(--bf-quiet); }
#bf-conversation .bf-cite {
  color: var(--bf-link); text-decoration: none; padding: 0 0.1em;
  font-variant-numeric: tabular-nums;
}
.bf-doubt {
  font-size: var(--text-xs); padding: 0.1em 0.5em; border-radius: 1em; white-space: nowrap;
  border: 1px solid var(--border-color-primary); color: var(--bf-quiet);
}

#bf-evidence h2 { font-size: var(--text-md); margin: 0.25rem 0 0.75rem; font-weight: 600; }
.bf-empty { color: var(--bf-quiet); padding: 2rem 1rem; text-align: center; }
.bf-card {
  position: relative; padding: 0.9rem 1rem; margin: 0 0 0.75rem; overflow-wrap: anywhere;
  background: var(--block-background-fill); border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-lg); scroll-margin-top: 1rem;
}
.bf-card:target { border-color: var(--color-accent); box-shadow: 0 0 0 1px var(--color-accent); }
.bf-number {
  float: right; min-width: 1.6em; text-align: center; border-radius: 0.4em;
  font-size: var(--text-sm); font-weight: 600; margin-inline-start: 0.75rem;
  background: var(--color-accent-soft); color: var(--body-text-color);
}
#bf-evidence .bf-card h3 {
  margin: 0; font-size: var(--text-md); line-height: 1.35; font-weight: 600;
}
#bf-evidence .bf-card h3 a {
  padding: 0; color: inherit; text-decoration: underline; text-underline-offset: 0.15em;
}
#bf-evidence .bf-facts {
  margin: 0.25rem 0 0.6rem; font-size: var(--text-sm); color: var(--bf-quiet);
}
.bf-facts span + span::before { content: "·"; margin: 0 0.5em; }
#bf-evidence .bf-card blockquote {
  margin: 0 !important; padding: 0; border: 0; font-size: var(--text-md); line-height: 1.55;
  white-space: pre-line; color: var(--body-text-color);
}
.bf-card mark {
  background: color-mix(in srgb, var(--color-accent) 22%, transparent); color: inherit;
  border-radius: 0.2em; padding: 0.05em 0;
}
.bf-earlier { margin-top: 0.75rem; }
.bf-earlier summary { cursor: pointer; font-size: var(--text-sm); padding: 0.35rem 0; }
"""
