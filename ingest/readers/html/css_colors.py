"""CSS colors and lengths, as far as they decide whether a text is visible."""

from __future__ import annotations

import colorsys
import re

Color = tuple[float, float, float, float]  # red, green, blue and alpha, 0 to 1

# Names of near-white, near-black and basic colors.
_NAMED = {
    name: tuple(int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
    for name, code in (
        pair.split(":")
        for pair in (
            "white:ffffff snow:fffafa ghostwhite:f8f8ff ivory:fffff0 mintcream:f5fffa "
            "azure:f0ffff floralwhite:fffaf0 aliceblue:f0f8ff whitesmoke:f5f5f5 seashell:fff5ee "
            "honeydew:f0fff0 lavenderblush:fff0f5 oldlace:fdf5e6 linen:faf0e6 cornsilk:fff8dc "
            "beige:f5f5dc lightyellow:ffffe0 gainsboro:dcdcdc lightgray:d3d3d3 lightgrey:d3d3d3 "
            "silver:c0c0c0 gray:808080 grey:808080 dimgray:696969 black:000000 red:ff0000 "
            "green:008000 lime:00ff00 blue:0000ff navy:000080 yellow:ffff00 orange:ffa500 "
            "purple:800080 maroon:800000 olive:808000 teal:008080 aqua:00ffff cyan:00ffff "
            "fuchsia:ff00ff magenta:ff00ff canvas:ffffff canvastext:000000"
        ).split()
    )
}
_COLOR = re.compile(r"#[0-9a-f]{3,8}\b|(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\([^()]*\)|[a-z]+")
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,2})?)\s*(%|[a-z]*)")
_UNITS = {
    "": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78, "q": 0.945,
    "rem": 16.0, "vw": 12.8, "vh": 7.2, "vmin": 7.2, "vmax": 12.8, "svw": 12.8, "dvw": 12.8,
    "svh": 7.2, "dvh": 7.2, "lvw": 12.8, "lvh": 7.2, "rex": 8.0, "rch": 8.0, "rlh": 20.0,
}  # fmt: skip
_RELATIVE = {"em": 1.0, "%": 0.01, "ex": 0.5, "ch": 0.5, "lh": 1.2, "ic": 1.0, "cap": 0.7}


def parse_color(value: str) -> Color | None:
    """Return the first color in a value; None if it has no known one."""
    for found in _COLOR.finditer(value.casefold()):
        color = _parse_word(found.group())
        if color:
            return color
    return None


def _parse_word(word: str) -> Color | None:
    if word == "transparent":
        return 0.0, 0.0, 0.0, 0.0
    if word.startswith("#"):
        code = word[1:]
        code = "".join(2 * char for char in code) if len(code) in (3, 4) else code
        if len(code) not in (6, 8):
            return None
        red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
        return red, green, blue, int(code[6:8], 16) / 255 if len(code) == 8 else 1.0
    if "(" in word:
        return _function(word)
    if word in _NAMED:
        red, green, blue = _NAMED[word]
        return red, green, blue, 1.0
    return None


def _function(word: str) -> Color | None:
    name = word.partition("(")[0].removesuffix("a")
    parts = [(_float(n), unit) for n, unit in _NUMBER.findall(word.partition("(")[2])]
    if len(parts) < 3:
        return None
    alpha = 1.0
    if len(parts) > 3:
        alpha = parts[3][0] / (100 if parts[3][1] == "%" else 1)
    (one, unit), (two, _), (three, _) = parts[:3]
    if name == "rgb":
        scale = 100 if unit == "%" else 255
        return one / scale, two / scale, three / scale, alpha
    if name == "hsl":
        turned = one * {"turn": 360, "rad": 57.3, "grad": 0.9}.get(unit, 1) / 360 % 1
        return (*colorsys.hls_to_rgb(turned, min(three / 100, 1), min(two / 100, 1)), alpha)
    if name == "hwb":
        white = min(two / 100, 1)
        return white, white, white, alpha
    # lab, lch, oklab, oklch: by lightness only
    light = one / (100 if unit == "%" or name in ("lab", "lch") else 1)
    return light, light, light, alpha


NEAR = 0.12  # difference per channel
CONTRAST = 1.2


def are_similar(one: Color, other: Color) -> bool:
    """Return whether text of one color is unreadable on the other: contrast below 1.2 (WCAG)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    near = max(abs(a - b) for a, b in zip(one[:3], other[:3], strict=True)) < NEAR
    return near and (light + 0.05) / (dark + 0.05) < CONTRAST


def blend(color: Color, background: Color) -> Color:
    """Return a color blended over a background by its alpha."""
    alpha = max(0.0, min(1.0, color[3]))
    red, green, blue = (
        a * alpha + b * (1 - alpha) for a, b in zip(color[:3], background[:3], strict=True)
    )
    return red, green, blue, 1.0


def _luminance(color: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (max(0.0, min(1.0, channel)) for channel in color[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def pixels(value: str, font: float = 16.0, whole: float = 1000.0) -> float | None:
    """Return a length in pixels; None if it isn't one.

    Of a function, the number furthest from zero counts: calc(0px * 1000) is 1000, calc(0px) is 0.

    Args:
        value: The CSS value.
        font: Pixels of an em.
        whole: Pixels of 100 %.
    """
    found = _NUMBER.findall(value)
    if not found or not re.match(r"[+\-.\d]|calc|min|max|clamp", value.strip()):
        return None
    lengths = []
    for number, unit in found:
        if unit in _RELATIVE:
            lengths.append(_float(number) * _RELATIVE[unit] * (whole if unit == "%" else font))
        elif unit in _UNITS:
            lengths.append(_float(number) * _UNITS[unit])
    return max(lengths, key=abs) if lengths else None


def _float(number: str) -> float:
    return max(-1e9, min(1e9, float(number)))
