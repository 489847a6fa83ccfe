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
    return (
        f'<text x="{x:g}" y="{y:g}" {FONT} font-size="{size}" fill="{colour}"'
        f' font-weight="{weight}" text-anchor="{anchor}">{html.escape(words)}</text>'
    )


def document(width, height, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}">\n<rect width="{width}" height="{height}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def stepping_bars(stepping):
    """A group of bars an env: lane steps per second as a share of the bare loop's."""
    left, length, bar, gap = 190, 430, 16, 34
    cells = [cell for cell in stepping["cells"] if cell["lanes"] == LANES] or stepping["cells"][:1]
    parts = [
        text(
            16,
            26,
            f"Lane steps per second, {cells[0]['lanes']} lanes, as a share of a bare mj_step loop",
            size=15,
            weight="bold",
        )
    ]
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
            parts.append(
                f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{bar - 3}" fill="{colour}"/>'
            )
            parts.append(
                text(
                    left + width + 6,
                    y + 11,
                    f"{side['to_raw']:.2f}   {side['lane_steps_per_s']:,.0f}/s",
                    size=11,
                )
            )
            y += bar
        parts.append(
            f'<line x1="{left + length}" y1="{top - 3}" x2="{left + length}" y2="{y}" '
            f'stroke="{FAINT}" stroke-dasharray="3 3"/>'
        )
        y += gap - 14
    return document(760, y + 6, parts)


MODE_COLOURS = ["#8d3b72", "#1f6f8b", "#c98a2b", "#3c7a3c", "#777777"]


def network_lines(network):
    """A panel an env: steps per second against delay, as a share of what is reached without one."""
    rows = network["rows"]
    envs = list(dict.fromkeys(row["env"] for row in rows))
    modes = list(dict.fromkeys(row["mode"] for row in rows))
    delays = sorted({row["round_trip_ms"] for row in rows})
    width, height, left, top, gap = 300, 150, 60, 76, 70
    colour = dict(zip(modes, MODE_COLOURS))
    parts = [
        text(
            16, 26, "Lane steps per second against the network's round trip", size=15, weight="bold"
        )
    ]
    x = 16
    for mode in modes:
        parts.append(f'<rect x="{x}" y="38" width="14" height="4" fill="{colour[mode]}"/>')
        parts.append(text(x + 19, 44, mode, size=12))
        x += 40 + 7 * len(mode)
    for number, env in enumerate(envs):
        x0, y0 = left + (number % 2) * (width + gap), top + (number // 2) * (height + gap)
        mine = [row for row in rows if row["env"] == env]
        most = max(row["lane_steps_per_s"] for row in mine)
        at_x = lambda delay: x0 + 14 + delays.index(delay) * (width - 28) / max(1, len(delays) - 1)
        at_y = lambda rate: y0 + height * (1 - rate / most)
        parts.append(text(x0, y0 - 8, f"{env} (top: {most:,.0f}/s)", size=12, weight="bold"))
        for share in (0, 0.5, 1):
            y = y0 + height * (1 - share)
            parts.append(
                f'<line x1="{x0}" y1="{y:g}" x2="{x0 + width}" y2="{y:g}" stroke="{FAINT}"/>'
            )
            parts.append(text(x0 - 6, y + 4, f"{share:.0%}", anchor="end", size=11))
        for delay in delays:
            parts.append(
                text(
                    at_x(delay),
                    y0 + height + 16,
                    f"{delay:g} ms" if delay else "none",
                    anchor="middle",
                    size=11,
                )
            )
        for mode in modes:
            points = sorted(
                (row["round_trip_ms"], row["lane_steps_per_s"])
                for row in mine
                if row["mode"] == mode
            )
            line = " ".join(f"{at_x(delay):.1f},{at_y(rate):.1f}" for delay, rate in points)
            parts.append(
                f'<polyline points="{line}" fill="none" stroke="{colour[mode]}" stroke-width="2"/>'
            )
            parts += [
                f'<circle cx="{at_x(d):.1f}" cy="{at_y(r):.1f}" r="3" fill="{colour[mode]}"/>'
                for d, r in points
            ]
    panel_rows = (len(envs) + 1) // 2
    return document(left + 2 * width + gap + 24, top + panel_rows * (height + gap) - 20, parts)
