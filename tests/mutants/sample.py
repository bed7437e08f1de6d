"""Keep a random sample of the mutants of a session; those of annotations, which never run, go.

Usage: python tests/mutants/sample.py SESSION.sqlite HOW_MANY SEED
"""

import ast
import random
import sqlite3
import sys
from functools import cache
from pathlib import Path

Place = tuple[int, int]


@cache
def annotations(path: str) -> list[tuple[Place, Place]]:
    """Give where the annotations of a module begin and end."""
    found = []
    for node in ast.walk(ast.parse(Path(path).read_text())):
        for made in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if made is not None:
                end = (made.end_lineno, made.end_col_offset)
                found.append(((made.lineno, made.col_offset), end))
    return found


def main(session: str, how_many: int, seed: int) -> None:
    """Delete every mutant but the sample."""
    database = sqlite3.connect(session)
    specs = database.execute(
        "select job_id, module_path, start_pos_row, start_pos_col from mutation_specs "
        "order by module_path, operator_name, occurrence, start_pos_row"
    ).fetchall()
    run = [
        job
        for job, path, *place in specs
        if not any(begin <= tuple(place) < end for begin, end in annotations(path))
    ]
    random.Random(seed).shuffle(run)
    for job, *_ in specs:
        if job not in run[:how_many]:
            for table in ("mutation_specs", "work_items"):
                database.execute(f"delete from {table} where job_id = ?", (job,))
    database.commit()
    print(f"{how_many} of {len(run)} mutants that run ({len(specs)} in all)")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
