"""Run by dlt's own Python: `peer_dlt.py DATASET FILE…`; prints the seconds of each load.

CREDENTIALS: a JSON object. FILE: lines of `id TAB username TAB second`. dlt gets an Arrow table
with row hashes, the fastest documented input for scd2; building it is not timed.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
import pyarrow.csv
from dlt.sources.helpers.transform import add_row_hash_to_table

HASH = "row_hash"


def main() -> None:
    """One pipeline, one load per file."""
    dataset, *files = sys.argv[1:]
    pipeline = dlt.pipeline(
        pipeline_name=dataset,
        pipelines_dir=os.environ["PIPELINES"],
        destination=dlt.destinations.postgres(json.loads(os.environ["CREDENTIALS"])),
        dataset_name=dataset,
    )
    for file in files:
        table = _table(file)
        begun = time.perf_counter()
        info = pipeline.run(_followers(table))
        seconds = time.perf_counter() - begun
        info.raise_on_failed_jobs()
        print(seconds, flush=True)


def _table(file: str) -> pyarrow.Table:
    return pyarrow.csv.read_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(column_names=["id", "username", "second"]),
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
    )


def _followers(table: pyarrow.Table) -> object:
    return dlt.resource(
        [table],
        name="followers",
        write_disposition={
            "disposition": "merge",
            "strategy": "scd2",
            "row_version_column_name": HASH,
        },
    ).add_map(add_row_hash_to_table(HASH))


if __name__ == "__main__":
    main()
