"""What the database itself holds of the ledger: balances, holds, the period lock and immutability.

Every rule here also binds raw SQL. Statement triggers lock the balance rows of a whole statement in id order, so that
two batches over the same accounts queue up instead of deadlocking. Their plans are cached for the session, so they are
held to index look-ups: a plan made for a batch of thousands must not read whole tables for each single posting later.
"""

from django.db import migrations

from reefpoint.platform.database.guards import append_only

JOURNALS = """
ALTER TABLE ledger_journal ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX ledger_journal_xid ON ledger_journal (xid);

-- The period lock. Closing a day takes the same advisory lock exclusively, so it waits for journals under way and
-- those that come later see the closed day.
CREATE FUNCTION ledger_check_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE closed date;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('ledger_book_day', 0));
    SELECT max("on") INTO closed FROM ledger_book_day WHERE closed_at IS NOT NULL;
    IF EXISTS (SELECT 1 FROM inserted WHERE effective_on <= closed) THEN
        RAISE EXCEPTION 'the books are closed up to %', closed
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_lock';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_journal_period AFTER INSERT ON ledger_journal
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_period();

CREATE FUNCTION ledger_keep_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR OLD.closed_at IS NOT NULL OR NEW."on" <> OLD."on" THEN
        RAISE EXCEPTION 'book days are only ever opened and closed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_book_day_kept BEFORE UPDATE OR DELETE ON ledger_book_day
    FOR EACH ROW EXECUTE FUNCTION ledger_keep_closed();
CREATE TRIGGER ledger_book_day_no_truncate BEFORE TRUNCATE ON ledger_book_day
    FOR EACH STATEMENT EXECUTE FUNCTION reefpoint_refuse_change();
"""

BALANCES = """
ALTER TABLE ledger_balance SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE FUNCTION ledger_start_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_balance (account_id, sign, floor_minor)
    SELECT id, CASE WHEN kind IN ('asset', 'expense') THEN 1 ELSE -1 END, floor_minor FROM inserted ORDER BY id;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_account_balance AFTER INSERT ON ledger_account
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_start_balances();

CREATE TRIGGER ledger_balance_by_trigger_only BEFORE INSERT OR UPDATE OR DELETE ON ledger_balance
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION reefpoint_refuse_change();
CREATE TRIGGER ledger_balance_no_truncate BEFORE TRUNCATE ON ledger_balance
    FOR EACH STATEMENT EXECUTE FUNCTION reefpoint_refuse_change();
"""

POSTINGS = """
ALTER TABLE ledger_posting
    ADD CONSTRAINT ledger_posting_debit_currency FOREIGN KEY (debit_account_id, currency)
        REFERENCES ledger_account (id, currency),
    ADD CONSTRAINT ledger_posting_credit_currency FOREIGN KEY (credit_account_id, currency)
        REFERENCES ledger_account (id, currency);
CREATE INDEX ledger_posting_days ON ledger_posting USING brin (effective_on);

CREATE FUNCTION ledger_apply_postings() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM inserted p LEFT JOIN ledger_journal j ON j.id = p.journal_id
         WHERE j.xid IS DISTINCT FROM pg_current_xact_id() OR j.effective_on <> p.effective_on
    ) THEN
        RAISE EXCEPTION 'a posting enters with its journal, on the journal''s effective date'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_journal';
    END IF;
    PERFORM 1 FROM ledger_balance
      WHERE account_id IN (SELECT debit_account_id FROM inserted UNION SELECT credit_account_id FROM inserted)
      ORDER BY account_id FOR NO KEY UPDATE;
    UPDATE ledger_balance b
       SET debit_minor = b.debit_minor + moved.debit, credit_minor = b.credit_minor + moved.credit,
           version = b.version + 1
      FROM (SELECT account_id, sum(debit) AS debit, sum(credit) AS credit
              FROM (SELECT debit_account_id AS account_id, amount_minor AS debit, 0 AS credit FROM inserted
                    UNION ALL
                    SELECT credit_account_id, 0, amount_minor FROM inserted) AS sides
             GROUP BY account_id) AS moved
     WHERE b.account_id = moved.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_posting_balance AFTER INSERT ON ledger_posting
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_postings();
"""

HOLDS = """
CREATE FUNCTION ledger_apply_holds() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM 1 FROM ledger_balance WHERE account_id IN (SELECT account_id FROM inserted)
      ORDER BY account_id FOR NO KEY UPDATE;
    UPDATE ledger_balance b SET held_minor = b.held_minor + placed.amount, version = b.version + 1
      FROM (SELECT account_id, sum(amount_minor) AS amount FROM inserted GROUP BY account_id) AS placed
     WHERE b.account_id = placed.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_hold_balance AFTER INSERT ON ledger_hold
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_holds();

CREATE FUNCTION ledger_resolve_holds() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM 1 FROM ledger_balance
      WHERE account_id IN (SELECT h.account_id FROM inserted i JOIN ledger_hold h ON h.id = i.hold_id)
      ORDER BY account_id FOR NO KEY UPDATE;
    UPDATE ledger_balance b SET held_minor = b.held_minor - ended.amount, version = b.version + 1
      FROM (SELECT h.account_id, sum(h.amount_minor) AS amount
              FROM inserted i JOIN ledger_hold h ON h.id = i.hold_id GROUP BY h.account_id) AS ended
     WHERE b.account_id = ended.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_hold_resolution_balance AFTER INSERT ON ledger_hold_resolution
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_resolve_holds();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        append_only("ledger_account"),
        append_only("ledger_journal"),
        append_only("ledger_posting"),
        append_only("ledger_hold"),
        append_only("ledger_hold_resolution"),
        append_only("ledger_balance_snapshot"),
        migrations.RunSQL(
            JOURNALS,
            """
            DROP FUNCTION ledger_check_period() CASCADE;
            DROP FUNCTION ledger_keep_closed() CASCADE;
            DROP TRIGGER ledger_book_day_no_truncate ON ledger_book_day;
            ALTER TABLE ledger_journal DROP COLUMN xid;
            """,
        ),
        migrations.RunSQL(
            BALANCES,
            """
            DROP FUNCTION ledger_start_balances() CASCADE;
            DROP TRIGGER ledger_balance_by_trigger_only ON ledger_balance;
            DROP TRIGGER ledger_balance_no_truncate ON ledger_balance;
            """,
        ),
        migrations.RunSQL(
            POSTINGS,
            """
            DROP FUNCTION ledger_apply_postings() CASCADE;
            ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_debit_currency;
            ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_credit_currency;
            DROP INDEX ledger_posting_days;
            """,
        ),
        migrations.RunSQL(
            HOLDS, "DROP FUNCTION ledger_apply_holds() CASCADE; DROP FUNCTION ledger_resolve_holds() CASCADE;"
        ),
    ]
