"""The desk's figures, a row a business day."""

from django.db import models


class DeskDay(models.Model):
    """The stocks of one closed business day and what its books earned. Append-only; what was called and sold on it is
    counted from the records when asked.
    """

    on = models.DateField(primary_key=True)
    accounts = models.IntegerField()
    assets_minor = models.BigIntegerField()
    debt_minor = models.BigIntegerField()
    safe = models.IntegerField()
    warning = models.IntegerField()
    call = models.IntegerField()
    close_out = models.IntegerField()
    unknown = models.IntegerField()
    interest_income_minor = models.BigIntegerField()
    fee_income_minor = models.BigIntegerField()
    funding_cost_minor = models.BigIntegerField()
    deficit_accounts = models.IntegerField()
    deficit_minor = models.BigIntegerField()
    pool_lent_minor = models.BigIntegerField()
    pool_committed_minor = models.BigIntegerField()
