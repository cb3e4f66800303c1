"""Open jobs in SQLite; a closed one stays as a row without body, so that it does not open again."""

from __future__ import annotations

from streams.store.api import OpenJob
from streams.store.sqlite.database import Database, insert
from streams.store.times import from_us, to_us


class SqliteJobs:
    """The table job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, job: OpenJob) -> None:
        """Write the row."""
        row = (job.project, job.job, to_us(job.opened), job.body, 0)
        await self._database.write(
            lambda db: insert(db, "INSERT OR IGNORE INTO job(project, job, opened, body, closed)", [row])
        )

    async def close(self, project: str, job: str) -> None:
        """Take the row out."""
        row = (project, job, 0, b"", 1)
        await self._database.write(
            lambda db: insert(db, "INSERT OR REPLACE INTO job(project, job, opened, body, closed)", [row])
        )

    async def list(self, limit: int = 1000) -> list[OpenJob]:
        """Give open jobs, the oldest first."""
        return await self._database.read(
            lambda db: [
                OpenJob(project, job, from_us(opened), body)
                for project, job, opened, body in db.execute(
                    "SELECT project, job, opened, body FROM job WHERE closed=0"
                    " ORDER BY opened, project, job LIMIT ?",
                    (limit,),
                )
            ]
        )
