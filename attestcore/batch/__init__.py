"""Stored evidence by the file: Parquet, JSONL, CSV, directories and tar archives in, one row of results a row out.

    from attestcore.batch.judge import Terms
    from attestcore.batch.runner import Job, Run

    job = Job(sources=[Path("reports.parquet")], out=Path("verdicts.parquet"), terms=Terms(), at=1750377600)
    outcome = Run(job).run()

This layer needs pyarrow (`pip install 'attestcore[batch]'`); `text` and `kinds` alone do not.
"""
