"""The job that moves sealed rows to the current key."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from reefpoint.platform.vault.services import reseal_batch, sealed_tables


@app.task(
    name="vault.reseal",
    queue="vault",
    lock="vault-reseal",
    queueing_lock="vault-reseal",
    retry=RetryStrategy(max_attempts=20, wait=5),
)
def reseal() -> None:
    """Seal every row under the current data key, a batch a transaction; killed anywhere, it goes on where it was."""
    for table in sealed_tables():
        while reseal_batch(table):
            pass
