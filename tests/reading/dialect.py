"""An independent reader of CSV: the records of a file by the dialect that `mastic infer` tells, as the documentation of
`CsvDialect` says that a reader reads them. What that leaves open is decided here:

- A quote opens a quoted field only at the field's beginning, after blanks at the most; elsewhere it is text.
- Text after a closing quote belongs to the field, which then isn't a quoted one; blanks there don't.
- A quote that is never closed takes the rest of the file.
- The escape character is one inside quotes, before a quote or itself; elsewhere it is text.
- Where lines end with a line feed, one carriage return before it belongs to the line's end; alone it is text.
- A line of nothing but blanks is blank."""

import bz2
import csv
import gzip
import io
import zipfile

import pyarrow

ENCODINGS = {"utf-8": "utf-8", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "iso-8859-1": "latin-1"}


class Field(str):
    """A field's text; `quoted` where it stood in quotes."""

    quoted = False


def field(text, quoted=False):
    made = Field(text)
    made.quoted = quoted
    return made


def text_of(data, verdict):
    """The text of a file: unpacked and decoded, without a byte order mark."""
    codec = verdict["compression"]
    if codec == "gzip":
        data = gzip.decompress(data)
    elif codec == "bzip2":
        data = bz2.decompress(data)
    elif codec == "zstd":
        data = pyarrow.CompressedInputStream(io.BytesIO(data), "zstd").read()
    elif codec == "lz4":
        data = pyarrow.CompressedInputStream(io.BytesIO(data), "lz4").read()
    elif codec == "zip":
        archive = zipfile.ZipFile(io.BytesIO(data))
        data = archive.read(archive.namelist()[0])
    elif codec != "none":
        raise ValueError(f"{codec} isn't read here")
    encoding = verdict.get("encoding") or "utf-8"
    text = data.decode(ENCODINGS.get(encoding, encoding), errors="replace")
    return text.removeprefix("\ufeff")


def rows_of(text, dialect):
    """The rows of a text, each a list of fields: what isn't data is left out."""
    end = "\r" if dialect["line_terminator"] == "\r" else "\n"
    at = 0
    for _ in range(dialect["skip_lines"]):
        found = text.find(end, at)
        at = len(text) if found < 0 else found + 1
    records = list(records_of(text[at:], dialect, end))
    records = records[dialect["header"] + dialect.get("skip_after_header", 0) :]
    footer = dialect.get("skip_footer", 0)
    return records[: len(records) - footer] if footer else records


def records_of(text, dialect, end):
    """All records; blank lines and comments are none."""
    reader = Reader(text, dialect, end)
    while reader.at < len(text):
        if dialect["comment"] and text.startswith(dialect["comment"], reader.at):
            found = text.find(end, reader.at)
            reader.at = len(text) if found < 0 else found + 1
            continue
        record = reader.record()
        blank = len(record) == 1 and not record[0].quoted and not record[0].strip(" \t")
        if not blank:
            yield record


class Reader:
    def __init__(self, text, dialect, end):
        self.text, self.end, self.at = text, end, 0
        self.delimiter, self.quote, self.escape = dialect["delimiter"], dialect["quote"], dialect["escape"]

    def record(self):
        fields = []
        while True:
            made, more = self.field()
            fields.append(made)
            if not more:
                return fields

    def field(self):
        """A field, and whether another follows in its record."""
        text, begin = self.text, self.at
        if self.quote:
            open_at = begin
            while text.startswith(" ", open_at) and not text.startswith(self.delimiter, open_at):
                open_at += 1
            if text.startswith(self.quote, open_at):
                return self.quoted(open_at + 1)
        return self.plain("")

    def plain(self, before):
        """The rest of a field without quotes."""
        text, begin = self.text, self.at
        line = text.find(self.end, begin)
        line = len(text) if line < 0 else line
        found = text.find(self.delimiter, begin, line)
        if found >= 0:
            self.at = found + len(self.delimiter)
            return field(before + text[begin:found]), True
        self.at = line + 1
        rest = before + text[begin:line]
        return field(rest.removesuffix("\r") if self.end == "\n" else rest), False

    def quoted(self, at):
        """A field whose opening quote is behind."""
        text, parts = self.text, []
        while at < len(text):
            byte = text[at]
            if self.escape and byte == self.escape and at + 1 < len(text):
                after = text[at + 1]
                # Where the escape is the quote, a quote that nothing of the kind follows closes the field.
                if after in (self.quote, self.escape) or byte != self.quote:
                    parts.append(after if after in (self.quote, self.escape) else byte + after)
                    at += 2
                    continue
            if byte != self.quote:
                parts.append(byte)
                at += 1
            elif text.startswith(self.quote, at + 1):
                parts.append(byte)
                at += 2
            else:
                return self.closed("".join(parts), at + 1)
        self.at = len(text)
        return field("".join(parts)), False

    def closed(self, content, at):
        """What follows a closing quote."""
        text = self.text
        while True:
            if text.startswith(self.delimiter, at):
                self.at = at + len(self.delimiter)
                return field(content, True), True
            if at >= len(text) or text.startswith(self.end, at):
                self.at = at + 1
                return field(content, True), False
            if text[at] not in " \t\r":
                self.at = at
                return self.plain(content)
            at += 1


def by_module(text, dialect):
    """The rows as Python's own `csv` reads them, where it can: one character between fields, no comments, no blanks that
    mean something, no carriage returns alone."""
    if len(dialect["delimiter"]) > 1 or dialect["comment"] or not dialect["quote"] or dialect["skip_lines"]:
        return None
    quote = dialect["quote"]
    if dialect["line_terminator"] == "\r" or f"{quote} " in text or f" {quote}" in text or "\r" in text.replace("\r\n", ""):
        return None
    # To the module a line of an empty text in quotes is as blank as one of nothing.
    if f"\n{quote * 2}\n" in text.replace("\r", ""):
        return None
    if dialect["escape"] or dialect["delimiter"] in "\r\n":
        return None
    csv.field_size_limit(1 << 30)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect["delimiter"], quotechar=quote)
    records = [record for record in reader if record and (len(record) > 1 or record[0].strip(" \t"))]
    records = records[dialect["header"] + dialect.get("skip_after_header", 0) :]
    return records[: len(records) - dialect.get("skip_footer", 0)]
