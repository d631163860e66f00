"""Clean tables, and what is done to them before they are files: everything that people and programs put into CSV."""

import bz2
import datetime
import gzip
import random

import pyarrow

WORDS = ["apple", "Berg, Anna", 'the "big" one', "two\nlines", "naïve", "Łódź", "東京", "it's", "a;b|c", "x^y", "tab\there",
         "007", "00420", "-", "N/A", "null", "NULL", "\\N", "C:\\dir\\", "100%", "=1+1", "#tag", " padded ", "::", "O'Brien"]
PLAIN_WORDS = ["apple", "pear", "plum", "fig", "Oslo", "Lima", "Pune", "red apple", "dry", "wet", "open", "closed"]
LATIN_WORDS = ["café", "Zürich", "señor", "Åse", "apple", "pear", "£5 note", "naïve"]
TYPES = ["int", "bigint", "decimal", "date", "timestamp", "boolean", "text", "plain", "code"]


class Draft:
    """A table on its way to a file: cells, and how they are written."""

    def __init__(self, rng, columns=None, rows=None):
        self.rng = rng
        columns = columns or rng.randint(2, 8)
        self.types = [rng.choice(TYPES) for _ in range(columns)]
        if len(self.types) > 1 and all(type_ in ("text", "plain", "code") for type_ in self.types):
            self.types[0] = "int"
        self.names = [f"{type_}_{at}" for at, type_ in enumerate(self.types)]
        rows = rng.choice([3, 5, 12, 40, 200]) if rows is None else rows
        self.rows = [[cell(rng, type_, row) for type_ in self.types] for row in range(rows)]
        self.delimiter, self.quote, self.quoting, self.escape = ",", '"', "needed", None
        self.after_delimiter = self.before_quote = ""
        self.header = True
        # Lines before the table, below its header and after it.
        self.before, self.below, self.after = [], [], []
        # Lines between rows, by the row they stand before.
        self.between = {}
        self.line_end, self.mixed, self.final_line_end = "\n", False, True
        self.encoding, self.mark = "utf-8", b""
        self.compress, self.suffix = None, ".csv"
        # What is put behind every row, and the row's number to text that replaces it.
        self.tails, self.header_tail = "", ""
        self.raw = {}
        self.edit = None

    def written(self):
        lines = list(self.before)
        if self.header:
            lines.append(self.line(self.names) + self.header_tail)
        lines += self.below
        for at, row in enumerate(self.rows):
            lines += self.between.get(at, [])
            lines.append(self.raw.get(at) or self.line(row) + self.tails)
        lines += self.after
        ends = [self.line_end] * len(lines)
        if self.mixed:
            ends = [self.rng.choice(["\n", "\r\n"]) for _ in lines]
        if not self.final_line_end and ends:
            ends[-1] = ""
        text = "".join(line + end for line, end in zip(lines, ends))
        data = self.mark + (self.edit(text) if self.edit else text).encode(self.encoding, errors="replace")
        return self.compress(data) if self.compress else data

    def line(self, cells):
        return (self.delimiter + self.after_delimiter).join(self.cell(text) for text in cells)

    def cell(self, text):
        if text is None:
            return ""
        needed = any(mark in text for mark in (self.delimiter, self.quote, "\n", "\r")) or text != text.strip()
        quoted = {"needed": needed, "all": True, "none": False, "some": needed or self.rng.random() < 0.4}[self.quoting]
        if not quoted:
            return text if self.quoting != "none" else self.bare(text)
        inside = text
        if self.escape:
            inside = inside.replace(self.escape, self.escape * 2).replace(self.quote, self.escape + self.quote)
        else:
            inside = inside.replace(self.quote, self.quote * 2)
        return self.before_quote + self.quote + inside + self.quote

    def bare(self, text):
        for mark in (self.delimiter, self.quote, "\n", "\r", "'"):
            text = text.replace(mark, "_")
        return text


def cell(rng, type_, row):
    if rng.random() < 0.07:
        return None
    if type_ not in ("text", "plain", "code") and rng.random() < 0.04:
        return rng.choice(["NULL", "N/A", "NA", "-", "null", "\\N", "NaN"])
    day = datetime.datetime(2031, 1, 1) + datetime.timedelta(seconds=rng.randrange(400_000_000))
    match type_:
        case "int":
            return str(rng.randint(-1000, 1000))
        case "bigint":
            return str(rng.randint(-(2**63), 2**63 - 1))
        case "decimal":
            return f"{rng.uniform(-1e6, 1e6):.{rng.randint(1, 6)}f}"
        case "date":
            return day.strftime("%Y-%m-%d")
        case "timestamp":
            return day.strftime("%Y-%m-%d %H:%M:%S") + rng.choice(["", ".5", ".123456"])
        case "boolean":
            return rng.choice(["true", "false"])
        case "text":
            return rng.choice(WORDS)
        case "plain":
            return rng.choice(PLAIN_WORDS)
        case "code":
            return f"{rng.randint(0, 99999):05}"


def delimiter(mark):
    def apply(draft):
        draft.delimiter = mark

    return apply


def quoting(how, quote='"', escape=None):
    def apply(draft):
        draft.quoting, draft.quote, draft.escape = how, quote, escape

    return apply


def blanks_after_delimiters(draft):
    draft.after_delimiter = " "


def blanks_before_quotes(draft):
    draft.before_quote, draft.quoting = " ", "some"


def title(draft):
    draft.before = ["Quarterly report", ""]


def preamble(draft):
    draft.before = [f"Exported by: tool {n}" for n in range(draft.rng.randint(2, 5))]


def blank_lines(draft):
    for at in range(0, len(draft.rows), 3):
        draft.between[at] = draft.rng.choice([[""], ["", ""], ["  "]])


def comments_at_the_top(draft):
    draft.before = ["# made by a program", "# do not edit"]


def comments_in_the_middle(draft):
    draft.before = ["# made by a program"]
    draft.between[len(draft.rows) // 2] = ["# half of it is through", "# now the rest"]


def footer_count(draft):
    draft.after = [f"({len(draft.rows)} rows)"]


def footer_notes(draft):
    draft.after = ["", "Source: the office of numbers", "Note: figures are provisional"]


def no_header(draft):
    draft.header = False


def narrow_header(draft):
    draft.names = draft.names[:-1]


def wide_header(draft):
    draft.names = [*draft.names, "more", "yet_more"]


def tails(draft):
    draft.tails = draft.delimiter * 2


def trailing_delimiters(draft):
    draft.tails = draft.header_tail = draft.delimiter


def long_rows(draft):
    for at in range(1, len(draft.rows), 4):
        draft.rows[at] = [*draft.rows[at], "extra", "9"]


def short_rows(draft):
    for at in range(1, len(draft.rows), 4):
        draft.rows[at] = draft.rows[at][:-1]


def dashes_below_header(draft):
    draft.below = [draft.delimiter.join("-" * max(3, len(name)) for name in draft.names)]


def units(draft):
    words = {"int": "count", "decimal": "EUR", "date": "day", "timestamp": "UTC", "boolean": "flag"}
    draft.below = [draft.delimiter.join(words.get(type_, "text") for type_ in draft.types)]


def line_end(end):
    def apply(draft):
        draft.line_end = end

    return apply


def mixed_line_ends(draft):
    draft.mixed = True


def no_final_line_end(draft):
    draft.final_line_end = False


def byte_order_mark(draft):
    draft.mark = b"\xef\xbb\xbf"


def encoding(name, mark=b""):
    def apply(draft):
        draft.encoding, draft.mark = name, mark
        if name in ("latin-1", "cp1252"):
            for at, type_ in enumerate(draft.types):
                if type_ in ("text", "plain"):
                    for row in draft.rows:
                        row[at] = draft.rng.choice(LATIN_WORDS)

    return apply


def stray_quotes(draft):
    for row in draft.rows[1::5]:
        for at, type_ in enumerate(draft.types):
            if type_ == "plain":
                row[at] = '6" nail'
    quoting_of = draft.cell
    draft.cell = lambda text: text if text == '6" nail' else quoting_of(text)


def unbalanced_quote(draft):
    if len(draft.rows) > 3:
        row = draft.rows[-2]
        draft.raw[len(draft.rows) - 2] = draft.delimiter.join(["1", '"never closed', *("x" for _ in row[2:])])


def only_header(draft):
    draft.rows = []


def duplicate_names(draft):
    draft.names[-1] = draft.names[0]


def names_by_case(draft):
    draft.names[-1] = draft.names[0].upper()


def odd_names(draft):
    odd = ["Full Name", "größe", "a.b", "a-b", "Ünï", "select", "1st", "a/b", "UPPER", "x y  z", "$price", "p%"]
    draft.names = draft.rng.sample(odd, min(len(odd), len(draft.names))) + draft.names[len(odd) :]


def long_fields(draft):
    if "plain" not in draft.types:
        draft.types[-1] = "plain"
    for row in draft.rows[::3]:
        row[draft.types.index("plain")] = draft.rng.choice("abcdef") * draft.rng.choice([5_000, 70_000, 300_000])


def nul_bytes(draft):
    if "plain" not in draft.types:
        draft.types[-1] = "plain"
    for row in draft.rows[1::4]:
        row[draft.types.index("plain")] = "nul\0byte"


def leading_zeros(draft):
    draft.types[-1] = "code"
    for row in draft.rows:
        row[-1] = cell(draft.rng, "code", 0)


def padded(draft):
    for row in draft.rows:
        row[:] = [text and (text if draft.rng.random() < 0.5 else f" {text} ") for text in row]
    unpadded = draft.cell
    draft.cell = lambda text: text if text and text == f" {text.strip()} " and text.strip().isalnum() else unpadded(text)


def null_words(draft):
    for row in draft.rows:
        for at in range(len(row)):
            if draft.rng.random() < 0.15:
                row[at] = draft.rng.choice(["NULL", "null", "\\N", "Null", "NA", "N/A", "none", "", "?"])


def quoted_nulls(draft):
    written = draft.cell
    draft.cell = lambda text: draft.rng.choice(['""', "", '"null"', "null"]) if text is None else written(text)


def zstd(data):
    return pyarrow.compress(data, codec="zstd", asbytes=True)


def compressed(compress, suffix):
    def apply(draft):
        draft.compress, draft.suffix = compress, ".csv" + suffix

    return apply


POLLUTIONS = {
    "clean": lambda draft: None,
    **{f"delimiter {mark!r}": delimiter(mark) for mark in (";", "\t", "|", "^", "~", "::", "||", "\x01")},
    "single quotes": quoting("some", "'"),
    "all quoted": quoting("all"),
    "all in single quotes": quoting("all", "'"),
    "none quoted": quoting("none"),
    "some quoted": quoting("some"),
    "backslash escapes": quoting("some", '"', "\\"),
    "backslash, all quoted": quoting("all", '"', "\\"),
    "blanks after delimiters": blanks_after_delimiters,
    "blanks before quotes": blanks_before_quotes,
    "title": title,
    "preamble": preamble,
    "blank lines": blank_lines,
    "comments at the top": comments_at_the_top,
    "comments in the middle": comments_in_the_middle,
    "footer (n rows)": footer_count,
    "footer notes": footer_notes,
    "no header": no_header,
    "narrow header": narrow_header,
    "wide header": wide_header,
    "tails": tails,
    "trailing delimiters": trailing_delimiters,
    "long rows": long_rows,
    "short rows": short_rows,
    "dashes below header": dashes_below_header,
    "units": units,
    "CRLF": line_end("\r\n"),
    "CR": line_end("\r"),
    "mixed line ends": mixed_line_ends,
    "no final line end": no_final_line_end,
    "byte order mark": byte_order_mark,
    "UTF-16LE": encoding("utf-16-le", b"\xff\xfe"),
    "UTF-16BE": encoding("utf-16-be", b"\xfe\xff"),
    "latin-1": encoding("latin-1"),
    "windows-1252": encoding("cp1252"),
    "stray quotes": stray_quotes,
    "unbalanced quote": unbalanced_quote,
    "only header": only_header,
    "duplicate names": duplicate_names,
    "names by case": names_by_case,
    "odd names": odd_names,
    "long fields": long_fields,
    "NUL bytes": nul_bytes,
    "leading zeros": leading_zeros,
    "padded": padded,
    "null words": null_words,
    "quoted nulls": quoted_nulls,
    "gzip": compressed(gzip.compress, ".gz"),
    "bzip2": compressed(bz2.compress, ".bz2"),
    "zstd": compressed(zstd, ".zst"),
    "one column": lambda draft: None,
    "200 columns": lambda draft: None,
    "one row": lambda draft: None,
}
# What makes rows of other lengths, after which their cells have no types.
LAST = {"long rows", "short rows", "unbalanced quote"}
SIZES = {"one column": (1, None), "200 columns": (200, 20), "one row": (None, 1)}


def polluted(number, seed):
    """The file of a number: its bytes, the end of its name and its pollutions. Each pollution has its turn alone, then
    with one or two others."""
    rng = random.Random(f"{seed}/{number}")
    names = list(POLLUTIONS)
    chosen = [names[number % len(names)]]
    if number >= len(names):
        chosen += rng.sample(names, rng.choice([0, 1, 1, 2]))
    chosen = sorted(set(chosen), key=names.index)
    columns = rows = None
    for name in chosen:
        columns, rows = (new or old for new, old in zip(SIZES.get(name, (None, None)), (columns, rows)))
    draft = Draft(rng, columns, rows)
    for name in sorted(chosen, key=lambda name: name in LAST):
        POLLUTIONS[name](draft)
    return draft.written(), draft.suffix, chosen
