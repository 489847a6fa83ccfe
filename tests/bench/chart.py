"""Pictures for docs/performance.md, as SVG."""

import html

FONT = 'font-family="system-ui, sans-serif"'
OURS, MEASURE, PEER, INK, FAINT = "#1f6f8b", "#444444", "#c9a66b", "#222222", "#bbbbbb"
# Side name's beginning → (label, colour); the fastest side of each counts.
BARS = [
    ("bare mj_step, MuJoCo 3.17", "bare mj_step loop", MEASURE),
    ("Hivewire in process", "Hivewire in process", OURS),
    ("Hivewire over UDS", "Hivewire over a Unix socket", OURS),
    ("EnvPool", "EnvPool, best configuration", PEER),
    ("Gymnasium", "Gymnasium vector envs", PEER),
    ("RLMesh", "RLMesh over a Unix socket", PEER),
]
LANES = 64


def text(x, y, words, anchor="start", size=12, colour=INK, weight="normal"):
    return (f'<text x="{x:g}" y="{y:g}" {FONT} font-size="{size}" fill="{colour}" font-weight="{weight}" '
            f'text-anchor="{anchor}">{html.escape(words)}</text>')


def document(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}">\n<rect width="{width}" height="{height}" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def stepping_bars(stepping):
    """A group of bars an env: lane steps per second as a share of the bare loop's."""
    left, length, bar, gap = 190, 430, 16, 34
    cells = [cell for cell in stepping["cells"] if cell["lanes"] == LANES] or stepping["cells"][:1]
    parts = [text(16, 26, f"Lane steps per second, {cells[0]['lanes']} lanes, as a share of a bare mj_step loop",
                  size=15, weight="bold")]
    y = 48
    for cell in cells:
        parts.append(text(16, y + 12, cell["env"], size=13, weight="bold"))
        y += 20
        top = y
        for prefix, label, colour in BARS:
            sides = [side for side in cell["sides"] if side["side"].startswith(prefix)]
            if not sides:
                continue
            side = max(sides, key=lambda side: side["lane_steps_per_s"])
            width = min(side["to_raw"], 1.15) * length
            parts.append(text(left - 8, y + 12, label, anchor="end"))
            parts.append(f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{bar - 3}" fill="{colour}"/>')
            parts.append(text(left + width + 6, y + 11,
                              f"{side['to_raw']:.2f}   {side['lane_steps_per_s']:,.0f}/s", size=11))
            y += bar
        parts.append(f'<line x1="{left + length}" y1="{top - 3}" x2="{left + length}" y2="{y}" '
                     f'stroke="{FAINT}" stroke-dasharray="3 3"/>')
        y += gap - 14
    return document(760, y + 6, parts)
