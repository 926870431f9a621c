"""Plain tables for stdout: no terminal library, nothing in a cell that acts on a terminal."""

from engine.text import clean

LONGEST_CELL = 90


def table(rows: list[dict[str, object]]) -> str:
    """A line of names and one for each row; numbers to the right, words to the left; `none` without rows."""
    if not rows:
        return "none"
    columns = [[name, *(_cell(row[name]) for row in rows)] for name in rows[0]]
    padded = [_aligned(column) for column in columns]
    return "\n".join("  ".join(line).rstrip() for line in zip(*padded, strict=True))


def _cell(value: object) -> str:
    text = str(value)
    return clean(text, LONGEST_CELL) if text else ""


def _aligned(column: list[str]) -> list[str]:
    width = max(map(len, column))
    numeric = all(_is_number(cell) for cell in column[1:] if cell)
    return [cell.rjust(width) if numeric else cell.ljust(width) for cell in column]


def _is_number(cell: str) -> bool:
    return cell == "?" or cell.lstrip("-").rstrip("%").replace(",", "").replace(".", "", 1).isdigit()
