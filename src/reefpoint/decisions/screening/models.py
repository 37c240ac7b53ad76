"""Versions of lists with their entries, the names that are searched, screenings of clients, and hits."""

from django.db import models
from django.db.models import F, Q

from reefpoint.decisions.screening.types import EntryKind, Evidence, HitState, ListShape, ListVersionState, Outcome
from reefpoint.records.parties.models import Client


class ListVersion(models.Model):
    """One delivery of a list. One version of a source at most is in force; a failed one says why, and no more."""

    source = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    shape = models.CharField(max_length=20, choices=[(shape.value, shape.value) for shape in ListShape])
    file_name = models.CharField(max_length=200)
    content_hash = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    may_shrink = models.BooleanField(default=False)
    published_on = models.DateField(null=True)
    state = models.CharField(max_length=12, choices=[(state.value, state.value) for state in ListVersionState])
    problem = models.CharField(max_length=500, blank=True)
    entries = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    missed_names = models.PositiveIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    received_by = models.CharField(max_length=80)
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["source", "number"], name="screening_version_number_once"),
            models.UniqueConstraint(
                fields=["source"], condition=Q(state=ListVersionState.IN_FORCE), name="screening_one_version_in_force"
            ),
            models.CheckConstraint(condition=~Q(source=""), name="screening_version_has_a_source"),
            models.CheckConstraint(
                condition=~Q(state=ListVersionState.FAILED) | ~Q(problem=""), name="screening_failed_version_says_why"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.number}"


class ListFile(models.Model):
    """A block of the bytes of a delivery, compressed by itself: what was read can be read again, block by block.

    `part` 2 is a file of alternative names; `number` counts the blocks of a part from 0.
    """

    version = models.ForeignKey(ListVersion, on_delete=models.PROTECT, related_name="files")
    part = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField(default=0)
    content = models.BinaryField()

    class Meta:
        ordering = ("version", "part", "number")
        constraints = (models.UniqueConstraint(fields=["version", "part", "number"], name="screening_file_block_once"),)

    def __str__(self) -> str:
        return f"{self.version_id}:{self.part}:{self.number}"


class StagedEntry(models.Model):
    """What was read of a file so far, taken away when it is in force. Not logged: a file can be read again."""

    version = models.ForeignKey(ListVersion, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    names = models.JSONField()
    births = models.JSONField()
    countries = models.JSONField()
    programmes = models.TextField()
    note = models.TextField()
    content_hash = models.CharField(max_length=32)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["version", "reference"], name="screening_staged_reference"),)

    def __str__(self) -> str:
        return f"{self.version_id} {self.reference}"


class Entry(models.Model):
    """An entry as it stood from one version until another; without an end it is in force."""

    source = models.CharField(max_length=40)
    reference = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in EntryKind])
    names = models.JSONField()
    births = models.JSONField()
    countries = models.JSONField()
    programmes = models.TextField(blank=True)
    note = models.TextField(blank=True)
    content_hash = models.CharField(max_length=32)
    since_version = models.ForeignKey(ListVersion, on_delete=models.PROTECT, related_name="begun")
    until_version = models.ForeignKey(ListVersion, on_delete=models.PROTECT, related_name="ended", null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["source", "reference"],
                condition=Q(until_version__isnull=True),
                name="screening_one_entry_in_force",
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.reference}"


def _spelling() -> models.GeneratedField:
    """The key without particles: al, bin and their like stand in every third name, and their trigrams tell nothing."""
    return models.GeneratedField(
        expression=models.Func("key", function="screening_spelling"), output_field=models.TextField(), db_persist=True
    )


class NameKey(models.Model):
    """A name of an entry in force, as it is searched; made anew from the entries, so it may be deleted."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="keys")
    name_no = models.PositiveSmallIntegerField()
    key = models.TextField()
    hanzi = models.TextField(blank=True)
    sound = models.TextField(blank=True)
    spelling = _spelling()

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["sound"], condition=~Q(sound=""), name="screening_key_sound"),)

    def __str__(self) -> str:
        return f"{self.entry_id}:{self.name_no} {self.key}"


class Screening(models.Model):
    """The latest screening of a client: which facts were held against which versions."""

    client = models.OneToOneField(Client, primary_key=True, on_delete=models.PROTECT, related_name="+")
    list_versions = models.JSONField()
    screened_at = models.DateTimeField()

    class Meta:
        ordering = ("client",)

    def __str__(self) -> str:
        return f"{self.client_id} {self.screened_at}"


class SubjectName(models.Model):
    """A name of a client or of somebody who stands behind one, as it is searched; made anew from the client's facts."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    person_no = models.PositiveSmallIntegerField()
    name_no = models.PositiveSmallIntegerField()
    text = models.TextField()
    key = models.TextField()
    hanzi = models.TextField(blank=True)
    sound = models.TextField(blank=True)
    spelling = _spelling()

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["sound"], condition=~Q(sound=""), name="screening_subject_sound"),)

    def __str__(self) -> str:
        return f"{self.client_id}:{self.person_no} {self.key}"


class Person(models.Model):
    """Who is screened of a client: the client (number 0) or somebody behind one, as the records say at the moment.

    Of a birth only the year is kept here; the day is read from the sealed profile when it is compared.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    person_no = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=40)
    names = models.JSONField()
    birth_year = models.PositiveSmallIntegerField(null=True)
    countries = models.JSONField()
    facts_hash = models.CharField(max_length=32)

    class Meta:
        ordering = ("client", "person_no")
        constraints = (models.UniqueConstraint(fields=["client", "person_no"], name="screening_person_once"),)

    def __str__(self) -> str:
        return f"{self.client_id}:{self.person_no}"


class Rescreen(models.Model):
    """A screening of all clients against what is new or changed in one version, batch by batch."""

    version = models.OneToOneField(ListVersion, on_delete=models.PROTECT, related_name="rescreen")
    after_id = models.BigIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.version_id} {self.done}/{self.total}"


class Hit(models.Model):
    """A client's name that met an entry. Its cause never changes; how it was resolved is written once by two people."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=40)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=40)
    reference = models.CharField(max_length=120)
    cause_hash = models.CharField(max_length=64)
    ours = models.TextField()
    theirs = models.TextField()
    score_bp = models.PositiveIntegerField()
    score = models.JSONField()
    birth = models.CharField(max_length=10, choices=[(evidence.value, evidence.value) for evidence in Evidence])
    country = models.CharField(max_length=10, choices=[(evidence.value, evidence.value) for evidence in Evidence])
    names = models.JSONField()
    birth_year = models.PositiveSmallIntegerField(null=True)
    countries = models.JSONField()
    raised_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, default=HitState.OPEN, choices=[(state.value, state.value) for state in HitState]
    )
    outcome = models.CharField(
        max_length=10, blank=True, choices=[(outcome.value, outcome.value) for outcome in Outcome]
    )
    proposed_by = models.CharField(max_length=80, blank=True)
    proposed_at = models.DateTimeField(null=True)
    proposal = models.CharField(max_length=500, blank=True)
    approval_id = models.BigIntegerField(null=True)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["client", "source", "reference", "cause_hash"], name="screening_hit_once"),
            models.CheckConstraint(
                condition=Q(decided_by="") | ~Q(decided_by=F("proposed_by")), name="screening_hit_second_person"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state__in=[HitState.CLEARED, HitState.CONFIRMED], decided_at__isnull=False, outcome=F("state"))
                    & ~Q(decided_by="")
                    & ~Q(proposed_by="")
                )
                | Q(state__in=[HitState.OPEN, HitState.PROPOSED, HitState.LAPSED], decided_by="", decided_at=None),
                name="screening_hit_decision_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state=HitState.PROPOSED)
                | (Q(proposed_at__isnull=False, approval_id__isnull=False) & ~Q(proposed_by="") & ~Q(outcome="")),
                name="screening_hit_proposal_whole",
            ),
        )
        indexes = (
            models.Index(
                fields=["client"],
                condition=Q(state__in=[HitState.OPEN, HitState.PROPOSED, HitState.CONFIRMED]),
                name="screening_hit_standing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.client_id} {self.source} {self.reference} {self.state}"
