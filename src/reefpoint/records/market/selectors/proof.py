"""Proof that the market records are as they must be."""

from django.db import connection

from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards

_COUNTS = """
SELECT * FROM (
    SELECT b.id, b.accepted, b.held, b.rejected,
           (SELECT count(*) FROM market_price p WHERE p.batch_id = b.id) AS prices,
           (SELECT count(*) FROM market_heldprice h WHERE h.batch_id = b.id) AS held_prices,
           (SELECT count(*) FROM market_rejectedrow r WHERE r.batch_id = b.id) AS rejected_rows
    FROM market_pricebatch b
) counted
WHERE (accepted, held, rejected) IS DISTINCT FROM (prices, held_prices, rejected_rows)
ORDER BY id
"""

_ORPHANS = """
SELECT h.id FROM market_heldprice h
WHERE h.state = 'confirmed' AND NOT starts_with(h.decided_by, 'source:')
  AND NOT EXISTS (
      SELECT 1 FROM market_price p JOIN market_pricebatch b ON b.id = p.batch_id
      WHERE b.key = 'confirmation:' || h.id AND p.instrument_id = h.instrument_id AND p.price_units = h.price_units)
ORDER BY h.id
"""

_FX_ORPHANS = """
SELECT h.id FROM market_heldfx h
WHERE h.state = 'confirmed'
  AND NOT EXISTS (
      SELECT 1 FROM market_fxversion v WHERE v.key = 'confirmation:' || h.id AND v.content_hash = h.content_hash)
ORDER BY h.id
"""

_UNRECORDED = """
SELECT i.id FROM market_instrument i
  LEFT JOIN LATERAL (
       SELECT * FROM market_instrumentrecord WHERE instrument_id = i.id ORDER BY id DESC LIMIT 1) r ON true
 WHERE (i.name, i.name_zh, i.sector, i.lot_size, i.price_band_bp, i.assumed_daily_volume, i.delisted_on)
       IS DISTINCT FROM
       (r.name, r.name_zh, r.sector, r.lot_size, r.price_band_bp, r.assumed_daily_volume, r.delisted_on)
 ORDER BY i.id
"""

_HELD_GUARDS = ("fixed_columns", "no_delete", "no_truncate", "decided_once")


def verify_market() -> list[Finding]:
    """Every batch whose lines do not add up, every confirmed price that is none, every instrument whose
    history says otherwise, every guard that is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        findings = [
            Finding(
                "market.batch_lines",
                f"price_batch:{batch_id}",
                f"it counts {accepted} accepted, {held} held, {rejected} rejected lines "
                f"and has {prices}, {held_prices} and {rejected_rows}",
            )
            for batch_id, accepted, held, rejected, prices, held_prices, rejected_rows in cursor.fetchall()
        ]
        cursor.execute(_ORPHANS)
        findings += [
            Finding("market.confirmed_price", f"held_price:{held_id}", "it was confirmed but made no price")
            for (held_id,) in cursor.fetchall()
        ]
        cursor.execute(_FX_ORPHANS)
        findings += [
            Finding("market.confirmed_fx", f"held_fx:{held_id}", "it was confirmed but made no version of the rates")
            for (held_id,) in cursor.fetchall()
        ]
        cursor.execute(_UNRECORDED)
        findings += [
            Finding("market.instrument_record", f"instrument:{instrument_id}", "its newest record says otherwise")
            for (instrument_id,) in cursor.fetchall()
        ]
    return findings + verify_guards(
        [
            "market_pricebatch",
            "market_price",
            "market_rejectedrow",
            "market_listingfacts",
            "market_fxversion",
            "market_fxrate",
            "market_tradinghalt",
            "market_instrumentrecord",
        ],
        [(table, f"{table}_{guard}") for table in ("market_heldprice", "market_heldfx") for guard in _HELD_GUARDS],
    )
