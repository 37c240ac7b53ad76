"""Files that were handed in: how far each has come, its rows until they are read, and the rows that were bad."""

from django.db import models
from django.db.models import CheckConstraint, F, Q

from reefpoint.platform.imports.types import ImportState


class ImportFile(models.Model):
    """One file of one kind; the same content again is the same import."""

    kind = models.CharField(max_length=40)
    file_name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    header = models.JSONField()
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in ImportState], default=ImportState.WAITING.value
    )
    rows = models.IntegerField()
    good = models.IntegerField(default=0)
    bad = models.IntegerField(default=0)
    chunks = models.IntegerField()
    chunks_done = models.IntegerField(default=0)
    requested_by = models.CharField(max_length=80)
    requested_by_name = models.CharField(max_length=120)
    requested_by_user_id = models.BigIntegerField(null=True)
    sees_all_clients = models.BooleanField()
    business_on = models.DateField()
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    bad_until = models.DateField()

    class Meta:
        ordering = ("-id",)
        db_table = "imports_file"
        constraints = (
            models.UniqueConstraint(fields=["kind", "digest"], name="imports_file_once"),
            CheckConstraint(condition=Q(chunks_done__lte=F("chunks")), name="imports_file_chunks_in_bounds"),
            CheckConstraint(condition=Q(rows__gte=F("good") + F("bad")), name="imports_file_rows_in_bounds"),
            CheckConstraint(
                condition=(
                    Q(state="done", finished_at__isnull=False, chunks_done=F("chunks"), rows=F("good") + F("bad"))
                    | (~Q(state="done") & Q(finished_at__isnull=True))
                ),
                name="imports_file_done_is_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"


class Chunk(models.Model):
    """Lines of a file that were not read yet, sealed; gone once they were. `first_line` counts from the file's 1."""

    import_file = models.ForeignKey(ImportFile, on_delete=models.PROTECT, related_name="waiting")
    number = models.IntegerField()
    first_line = models.IntegerField()
    key_id = models.BigIntegerField()
    blob = models.BinaryField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["import_file", "number"], name="imports_chunk_once"),)

    def __str__(self) -> str:
        return f"{self.import_file_id}:{self.number}"


class BadChunk(models.Model):
    """The bad rows of one batch with their reasons, sealed; deleted when their time is over."""

    import_file = models.ForeignKey(ImportFile, on_delete=models.PROTECT, related_name="bad_chunks")
    number = models.IntegerField()
    key_id = models.BigIntegerField()
    blob = models.BinaryField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["import_file", "number"], name="imports_badchunk_once"),)

    def __str__(self) -> str:
        return f"{self.import_file_id}:{self.number}"
