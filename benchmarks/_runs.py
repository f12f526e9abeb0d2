"""How benchmarks are run: going on from a file, and in processes of their own."""

import json
import subprocess
import sys
import time

import pandas as pd


def resume(output, keys, run):
    """Append to a file the rows that it lacks, and return all that it holds then.

    Parameters
    ----------
    output : Path
        CSV file, which need not exist.
    keys : list of dict
        What to run, in order: columns of the file and their values.
    run : callable
        ``run(**key)`` returns rows, to which `key` is added.

    Returns
    -------
    rows : DataFrame
    """
    done = set()
    if output.exists():
        # As text, since what is read need not have the type that was written.
        text = pd.read_csv(output, dtype=str, keep_default_na=False)
        done = set(text[list(keys[0])].itertuples(index=False, name=None))
    for number, key in enumerate(keys, start=1):
        if tuple(map(str, key.values())) in done:
            continue
        started = time.monotonic()
        rows = [key | row for row in run(**key)]
        if rows:
            pd.DataFrame(rows).to_csv(
                output, mode="a", header=not output.exists(), index=False
            )
        name, seconds = ", ".join(map(str, key.values())), time.monotonic() - started
        print(
            f"[{number}/{len(keys)}] {name}: {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return pd.read_csv(output)


def run_fresh(script, *arguments):
    """Return what a script prints as JSON in its last line, in a fresh process."""
    command = [sys.executable, script, *map(str, arguments)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(ran.stdout.splitlines()[-1])
