"""SQL equals inference. Polluted CSV files, each a table: what `mastic infer` says of a file, read by an independent reader
(dialect.py, cells.py), is what `SELECT *` gives, cell by cell.

    polluted.py MASTIC [--files N] [--seed S] [--every-case N] [--keep FOLDER]

Published files (MASTIC_SHARED_DATA) and the labelled cases of the classifiers are held to the same. Exits with 1 where fewer
than 99 of 100 cells are equal."""

import argparse
import collections
import json
import os
import pathlib
import shutil
import sys
import tempfile

import cells
import dialect
import lake
import pollution

LEAST_SHARE = 0.99
CASES = pathlib.Path(__file__).parent.parent.parent / "classifiers" / "tests" / "cases"
SYMBOLS = str.maketrans({"␉": "\t", "␁": "\x01", "␟": "\x1f", "␍": "\r", "␊": "\n"})
EXAMPLES = 40


class Tally:
    """What was compared of files of one kind."""

    def __init__(self):
        self.files = self.cells = self.equal = self.wrong_files = 0

    def add(self, cells_, equal, wrong):
        self.files, self.cells, self.equal = self.files + 1, self.cells + cells_, self.equal + equal
        self.wrong_files += wrong

    def share(self):
        return self.equal / self.cells if self.cells else 1.0


def generated(folder, files, seed):
    """Writes the files, and gives the kinds of each by its path."""
    kinds = {}
    for number in range(files):
        data, suffix, chosen = pollution.polluted(number, seed)
        kinds[put(folder / f"t{number:05}", f"data{suffix}", data)] = chosen
    return kinds


def put(folder, name, data):
    folder.mkdir(parents=True)
    path = folder / name
    path.write_bytes(data)
    return path.resolve()


def published(folder):
    shared = os.environ.get("MASTIC_SHARED_DATA")
    if not shared or not pathlib.Path(shared, "formats", "csv").is_dir():
        print("left out: published CSV files, because MASTIC_SHARED_DATA doesn't name their folder")
        return {}
    files = sorted(pathlib.Path(shared, "formats", "csv").rglob("*.csv*"))
    return {put(folder / f"published_{at:03}", path.name, path.read_bytes()): ["published"] for at, path in enumerate(files)}


def cases(folder, every):
    """The labelled cases, one file for each delimiter that a case is tried with; or one of every so many of them."""
    kinds, number = {}, 0
    for path in sorted(CASES.glob("*.txt")):
        if path.name == "known_wrong.txt":
            continue
        for case in path.read_text().split("=== ")[1:]:
            _, expected, text = case.split("\n", 2)
            told, _, each = expected.partition("each ")
            for mark in each.split() or ["¤"]:
                number += 1
                if number % every:
                    continue
                words = {"tab": "\t", "space": " ", "comma": ","}
                body = text.replace("¤", words.get(mark, mark)).translate(SYMBOLS)
                body = body.replace("\n", {"crlf": "\r\n", "cr": "\r"}.get(word_of(told, "lines"), "\n"))
                name = word_of(told, "name") or "data.csv"
                kinds[put(folder / f"case_{number:04}", name, body.encode())] = ["labelled cases"]
    return kinds


def word_of(expected, name):
    return next((word.partition("=")[2] for word in expected.split() if word.startswith(f"{name}=")), None)


def expected_rows(path, verdict):
    """The rows that a file's verdict makes of it, and whether Python's own reader splits it in the same way."""
    text = dialect.text_of(path.read_bytes(), verdict)
    rows = dialect.rows_of(text, verdict["csv"])
    types = [column["type"] for column in verdict["columns"]]
    try:
        seconded = dialect.by_module(text, verdict["csv"])
    except Exception as error:  # The module has its own limits: NUL bytes, for one.
        seconded = error
    values = [
        [cells.value_of(row[at] if at < len(row) else None, type_) for at, type_ in enumerate(types)] for row in rows
    ]
    return values, None if seconded is None or isinstance(seconded, Exception) else seconded == rows


def compare(values, types, answer):
    """How many cells there are, how many are equal, and what is wrong first."""
    width = len(types)
    total = max(len(values), 1) * width
    if isinstance(answer, Exception):
        return total, 0, f"refused: {answer}"
    got_types = [column["type"] for column in answer["columns"]]
    wanted_types = ["string" if type_ == "void" else type_ for type_ in types]
    wrong = None if got_types == wanted_types else f"types are {got_types}, inference said {wanted_types}"
    if len(answer["rows"]) != len(values):
        wrong = f"{len(answer['rows'])} rows instead of {len(values)}"
    total = max(len(values), len(answer["rows"]), 1) * width
    equal = 0 if values or answer["rows"] else width
    for number, (want, got) in enumerate(zip(values, answer["rows"])):
        for at, value in enumerate(want):
            if at < len(got) and cells.same(got[at], value):
                equal += 1
            elif wrong is None:
                seen = got[at] if at < len(got) else "no such column"
                wrong = f"row {number + 1}, column {at + 1}: {str(seen)[:200]!r} instead of {str(value)[:200]!r}"
                wrong += f" ({type(seen).__name__}, {type(value).__name__})"
    return total, equal, wrong


def judge(lake_, kinds, prefix, keep):
    """Compares all files; gives whether enough is equal."""
    verdicts = lake_.infer(prefix)
    state = lake_.crawl(prefix, "polluted")
    print(f"crawled {state['files_read']} files into {state['tables']} tables")
    tables = set(lake_.tables("polluted"))
    unread = collections.Counter()
    judged, wanted = [], []
    for path in kinds:
        verdict = verdicts.get(path)
        table = path.parent.name
        if not verdict or "classification" not in verdict or verdict["classification"] != "csv":
            said = verdict and verdict.get("classification") or "no verdict"
            unread[f"{said}: {kinds[path][0]}"] += 1
        else:
            judged.append((path, table, verdict))
            wanted.append(f'SELECT * FROM polluted."{table}"')
    answers = lake_.ask_all(wanted)
    tallies, whole, worst = collections.defaultdict(Tally), Tally(), []
    seconded = collections.Counter()
    for (path, table, verdict), answer in zip(judged, answers):
        types = [column["type"] for column in verdict["columns"]]
        values, by_module = expected_rows(path, verdict)
        seconded[by_module] += 1
        if by_module is False:
            print(f"Python's csv splits {table} otherwise: {', '.join(kinds[path])}")
            shutil.copy(path, keep / f"{table}_{path.name}")
        total, equal, wrong = compare(values, types, answer)
        if table not in tables:
            wrong = "no table: inference calls it CSV, the crawl made nothing of it"
        for tally in (whole, *(tallies[kind] for kind in kinds[path])):
            tally.add(total, equal, wrong is not None)
        if wrong:
            worst.append((total - equal, path, kinds[path], wrong, verdict))
    report(tallies, whole, worst, keep, unread, seconded)
    return whole.share() >= LEAST_SHARE


def report(tallies, whole, worst, keep, unread, seconded):
    print(f"{'pollution':28} {'files':>6} {'wrong':>6} {'cells':>10} {'equal':>8}")
    for kind, tally in sorted(tallies.items(), key=lambda entry: (entry[1].share(), -entry[1].wrong_files)):
        print(f"{kind:28} {tally.files:6} {tally.wrong_files:6} {tally.cells:10,} {tally.share():8.3%}")
    for what, count in sorted(unread.items()):
        print(f"not compared, inference says {what}: {count}")
    print(f"Python's csv splits {seconded[True]} files in the same way, {seconded[False]} otherwise; it can't judge {seconded[None]}")
    worst.sort(key=lambda entry: -entry[0])
    for cells_, path, kinds, wrong, verdict in worst[:EXAMPLES]:
        print(f"\n{path.parent.name}: {', '.join(kinds)}: {cells_} cells: {wrong}")
        print(f"  dialect {json.dumps(verdict['csv'])}")
        shutil.copy(path, keep / f"{path.parent.name}_{path.name}")
    print(
        f"\n{whole.files} files ({whole.wrong_files} with a difference), {whole.cells:,} cells, {whole.equal:,} equal: {whole.share():.4%}"
    )
    if worst:
        print(f"the files of the examples are in {keep}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mastic")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every-case", type=int, default=1, metavar="N", help="take one of N labelled cases")
    parser.add_argument("--keep", type=pathlib.Path, help="where the files of examples are kept")
    options = parser.parse_args()
    keep = options.keep or pathlib.Path(tempfile.gettempdir(), "mastic-polluted")
    shutil.rmtree(keep, ignore_errors=True)
    keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder, "lake", lake.BUCKET, "p").resolve()
        kinds = generated(prefix, options.files, options.seed) | published(prefix) | cases(prefix, options.every_case)
        print(f"{len(kinds)} files, seed {options.seed}")
        with lake.lake(options.mastic, folder) as lake_:
            enough = judge(lake_, kinds, "p", keep)
    sys.exit(not enough)


if __name__ == "__main__":
    main()
