-- What `benchmarks/full_desk.py` adds to a desk for its new clients, those of the temporary table `fresh (n, client_id)`.
-- `growth` has one row: on_day, at, and the ids of what `full_desk` made with the services to be repeated here.

INSERT INTO parties_client (name, name_zh, email, kind, language, status, opened_on, accepted_on,
                            relationship_manager_id)
SELECT initcap(left(word, 5)) || ' ' || initcap(substr(word, 6, 4 + n % 5)),
       CASE WHEN n % 3 = 0 THEN chr(19968 + n % 20000) || chr(19968 + n * 7 % 20000) ELSE '' END,
       'client' || n || '@bench.test', CASE WHEN n % 20 = 0 THEN 'institution' ELSE 'individual' END,
       CASE WHEN n % 2 = 0 THEN 'en' ELSE 'zh-hans' END, CASE WHEN n % 8 = 0 THEN 'prospect' ELSE 'active' END,
       on_day - n % 900, CASE WHEN n % 8 = 0 THEN NULL ELSE on_day - n % 900 END,
       CASE WHEN n % 4 = 0 THEN manager_id END
  FROM growth, generate_series(first::int, last::int) AS n, translate(md5(n::text), '0123456789', 'ghijklmnop') AS word;

CREATE TEMP TABLE fresh AS
SELECT n, client.id AS client_id, client.status = 'active' AS is_active
  FROM growth, generate_series(first::int, last::int) AS n JOIN parties_client client
    ON lower(client.email) = 'client' || n || '@bench.test';
ANALYZE fresh;
-- SEALED

CREATE TEMP TABLE listed AS
SELECT row_number() OVER (ORDER BY i.id) - 1 AS place, i.id AS instrument_id, i.symbol, price.price_units
  FROM market_instrument i CROSS JOIN LATERAL (
       SELECT price_units FROM market_price WHERE instrument_id = i.id ORDER BY at DESC, id DESC LIMIT 1) AS price;

-- Accounts, what they hold, and what is lent on it

CREATE TEMP TABLE opened AS
SELECT n, client_id, nextval(pg_get_serial_sequence('accounts_marginaccount', 'id')) AS account_id
  FROM fresh WHERE is_active ORDER BY n;
INSERT INTO accounts_marginaccount (id, number, client_id, scheme_version_id, currency, status, opened_on, change_no)
SELECT account_id, 'M-' || lpad(account_id::text, 6, '0'), client_id, scheme_version_id, 'USD', 'active',
       on_day - n % 900, 0
  FROM growth, opened;
INSERT INTO accounts_securitymovement (account_id, instrument_id, kind, quantity, key, source, effective_on, at)
SELECT account_id, instrument_id, kind, CASE kind WHEN 'sale' THEN -10 ELSE 50 + n % 400 END,
       'bench:' || account_id || ':' || instrument_id || ':' || kind, 'benchmark', on_day - part * 3,
       at - part * interval '3 days'
  FROM growth, opened, generate_series(0, 4) AS part,
       (VALUES ('receipt', 0), ('sale', 1)) AS move (kind, less), listed
 WHERE place = (n * 7 + part * 11) % (SELECT count(*) FROM listed) AND less <= n % 2;
INSERT INTO accounts_position (account_id, instrument_id, quantity)
SELECT account_id, instrument_id, sum(quantity)
  FROM accounts_securitymovement JOIN opened USING (account_id) GROUP BY 1, 2;
CREATE TEMP TABLE borrowed AS
SELECT n, client_id, account_id, lpad(account_id::text, 6, '0') AS number, worth AS worth_minor,
       (worth * 10000 / CASE WHEN n % 400 = 3 THEN 14000 WHEN n % 100 = 2 THEN 15200 WHEN n % 50 = 1 THEN 16800
                             ELSE 20000 + n * 37 % 30000 END)::bigint AS debt_minor
  FROM opened CROSS JOIN LATERAL (
       SELECT sum(quantity * price_units / 100)::bigint AS worth
         FROM accounts_position JOIN listed USING (instrument_id) WHERE account_id = opened.account_id) AS held;
INSERT INTO ledger_account (code, kind, currency, floor_minor)
SELECT kind.prefix || ':M-' || number, kind.kind, 'USD', 0
  FROM borrowed, (VALUES ('client_cash', 'liability'), ('loan_principal', 'asset'), ('interest_due', 'asset'),
                         ('fees_due', 'asset')) AS kind (prefix, kind);
INSERT INTO accounts_facility (account_id, number, pool_code, commitment_minor, drawn_minor, held_minor)
SELECT account_id, 'F-' || number, 'MAIN', 2 * debt_minor, debt_minor, 0 FROM borrowed;
INSERT INTO accounts_loan (account_id, number, key, pool_code, drawn_minor, principal_minor, rate_bp, day_count,
                           drawn_on, matures_on, state)
SELECT account_id, 'N-' || lpad((2 * account_id - past)::text, 6, '0'), 'bench:' || account_id || ':' || past, 'MAIN',
       debt_minor, CASE past WHEN 0 THEN debt_minor ELSE 0 END, 450 + n % 300, 'ACT/360', on_day - 20 - past * 200,
       on_day + n % 170 - past * 200, CASE past WHEN 0 THEN 'open' ELSE 'repaid' END
  FROM growth, borrowed, generate_series(0, 1) AS past;
INSERT INTO treasury_poolmovement (pool_id, account_id, kind, amount_minor, key, moved_by, at)
SELECT pool_id, account_id, 'allocate', debt_minor, 'bench:' || account_id, 'system:benchmark', at
  FROM growth, borrowed;
UPDATE treasury_fundingpool SET lent_minor = lent_minor + (SELECT sum(debt_minor) FROM borrowed)
 WHERE id = (SELECT pool_id FROM growth);
INSERT INTO margin_marginsnapshot (account_id, "on", at, assets_minor, debt_minor, ratio_bp, band)
SELECT account_id, on_day - back, at - back * interval '1 day', worth_minor, debt_minor,
       worth_minor * 10000 / debt_minor, 0
  FROM growth, borrowed, generate_series(1, 5) AS back;
INSERT INTO lending_renewal (loan_id, client_id, state, number, old_matures_on, new_matures_on, rate_bp, offered_at,
                             offered_by, valid_until, asked_by, accepted_by, countersigned_by, end_reason)
SELECT loan.id, client_id, 'offered', 1, loan.matures_on, loan.matures_on + 90, loan.rate_bp, at, 'system:benchmark',
       loan.matures_on, '', '', '', ''
  FROM growth, borrowed JOIN accounts_loan loan USING (account_id) WHERE loan.state = 'open' AND n % 20 = 1;
INSERT INTO pricing_rateproposal (loan_id, grid_id, old_bp, new_bp, inputs, answer, proposed_on, proposed_at,
                                  proposed_by, effective_on, state)
SELECT loan.id, quote.grid_id, loan.rate_bp, quote.rate_bp, quote.inputs, quote.answer, on_day, at,
       'system:benchmark', on_day + 30, 'notified'
  FROM growth JOIN pricing_quote quote ON quote.id = quote_id, borrowed JOIN accounts_loan loan USING (account_id)
 WHERE loan.state = 'open' AND n % 25 = 2 AND loan.rate_bp <> quote.rate_bp;

-- Orders and fills, calls and sales of the past

INSERT INTO execution_order (account_id, instrument_id, side, quantity, placed_quantity, purpose, source,
                             client_order_id, state, session_on, placed_by, placed_at, sent_at, ended_at, end_reason,
                             filled_quantity)
SELECT account_id, instrument_id, 'sell', 10, 10, 'client', '', 'bench-' || account_id || '-' || instrument_id,
       CASE WHEN part < n % 2 * 5 THEN 'filled' ELSE 'cancelled' END, on_day - part * 3 - 1, 'system:benchmark',
       at - (part * 3 + 1) * interval '1 day', at - (part * 3 + 1) * interval '1 day',
       at - (part * 3 + 1) * interval '1 day', '', CASE WHEN part < n % 2 * 5 THEN 10 ELSE 0 END
  FROM growth, opened, generate_series(0, 4) AS part, listed
 WHERE place = (n * 7 + part * 11) % (SELECT count(*) FROM listed);
INSERT INTO execution_fill (order_id, broker_fill_id, quantity, price_units, gross_minor, fee_minor, net_minor,
                            traded_on, at, booked_at)
SELECT o.id, o.client_order_id, 10, price_units, price_units / 10, 0, price_units / 10, session_on, sent_at, sent_at
  FROM execution_order o JOIN opened USING (account_id) JOIN listed USING (instrument_id) WHERE state = 'filled';
INSERT INTO execution_paperorder (client_order_id, symbol, side, quantity, state, reason, session_on, received_at)
SELECT o.client_order_id, symbol, 'sell', 10, 'filled', '', session_on, sent_at
  FROM execution_order o JOIN opened USING (account_id) JOIN listed USING (instrument_id) WHERE state = 'filled';
INSERT INTO execution_paperfill (order_id, broker_fill_id, quantity, price_units, gross_minor, fee_minor, net_minor,
                                 traded_on)
SELECT paper.id, fill.broker_fill_id, fill.quantity, fill.price_units, fill.gross_minor, 0, fill.net_minor, traded_on
  FROM opened JOIN execution_order o USING (account_id) JOIN execution_fill fill ON fill.order_id = o.id
  JOIN execution_paperorder paper USING (client_order_id);
INSERT INTO margin_margincall (account_id, number, state, opened_on, opened_at, deadline_at, amount_minor, debt_minor,
                               assets_minor, ratio_bp, call_bp, cure_bp, closed_at, close_reason)
SELECT account_id, 'C-' || number || '-' || part, 'cured', on_day - 100 * part, at - part * interval '100 days',
       at - part * interval '98 days', debt_minor / 10, debt_minor, debt_minor * 8 / 5, 16000, 16000, 17000,
       at - part * interval '99 days', 'paid in'
  FROM growth, borrowed, generate_series(1, 2) AS part WHERE n % 3 = 1;
INSERT INTO liquidation_liquidation (account_id, number, cause, state, target_bp, opened_on, opened_at, closed_at,
                                     close_reason)
SELECT account_id, 'L-' || number || '-bench', 'close_out', 'cancelled', 17000, on_day - 90, at - interval '90 days',
       at - interval '89 days', 'paid in'
  FROM growth, borrowed WHERE n % 30 = 1;
INSERT INTO audit_entry (at, actor, action, subject, reason, inputs, recorded_at)
SELECT closed_at, 'system:benchmark', 'liquidation.cancelled', 'liquidation:' || sale.id, '', '{}', closed_at
  FROM borrowed JOIN liquidation_liquidation sale USING (account_id);
INSERT INTO liquidation_liquidationplan (liquidation_id, session_on, made_at, outcome, lines, assets_before_minor,
                                         debt_before_minor, sold_minor, assets_after_minor, debt_after_minor)
SELECT sale.id, sale.opened_on, sale.opened_at, 'planned', '[]', debt_minor * 7 / 5, debt_minor, 0,
       debt_minor * 7 / 5, debt_minor
  FROM borrowed JOIN liquidation_liquidation sale USING (account_id);
INSERT INTO audit_entry (at, actor, action, subject, reason, inputs, recorded_at)
SELECT closed_at, 'system:benchmark', 'margin.call_cured', 'call:' || call.id, '', '{}', closed_at
  FROM borrowed JOIN margin_margincall call USING (account_id);

-- What was asked for: credit in every stage, its decisions, quotes, contracts and payments

INSERT INTO credit_creditdecision (client_id, scheme_version_id, scheme_code, policy_id, inputs, answer, currency,
                                   asked_minor, recommended_minor, grade, outcome, decided_on, decided_at, decided_by,
                                   expires_on, state, limit_minor, authority, is_override, proposed_by, proposal,
                                   approval_id, closed_by, closed_at, closing_note)
SELECT fresh.client_id, d.scheme_version_id, d.scheme_code, d.policy_id, d.inputs, d.answer, d.currency, d.asked_minor,
       d.recommended_minor, d.grade, d.outcome, on_day - n % 80, at - n % 80 * interval '1 day', d.decided_by,
       on_day - n % 80 + 90, CASE WHEN n % 2 = 0 THEN 'open' ELSE 'declined' END, NULL, '', false, '', '', NULL,
       CASE WHEN n % 2 = 0 THEN '' ELSE 'user:' || manager_id END, CASE WHEN n % 2 = 1 THEN at END, ''
  FROM growth JOIN credit_creditdecision d ON d.id = decision_id, fresh WHERE n % 3 <> 0;
INSERT INTO credit_creditcondition (decision_id, code, kind, figure, moment)
SELECT decision.id, one.code, one.kind, one.figure, one.moment
  FROM growth JOIN credit_creditcondition one USING (decision_id), fresh JOIN credit_creditdecision decision USING (client_id)
 ORDER BY decision.id, one.id;
INSERT INTO pricing_quote (key, key_hash, client_id, scheme_version_id, scheme_code, grid_id, amount_minor, currency,
                           tenor_days, grade, segment, inputs, answer, rate_bp, quoted_on, quoted_at, quoted_by,
                           valid_until)
SELECT 'bench:' || fresh.client_id || ':' || part, q.key_hash, fresh.client_id, q.scheme_version_id, q.scheme_code, q.grid_id,
       q.amount_minor + n, q.currency, q.tenor_days, q.grade, q.segment, q.inputs, q.answer, q.rate_bp,
       on_day - n % 50, at - n % 50 * interval '1 day', q.quoted_by, at - (n % 50 - 2) * interval '1 day'
  FROM growth JOIN pricing_quote q ON q.id = quote_id, fresh, generate_series(1, 2) AS part;
INSERT INTO contracts_contract (key, jurisdiction, language, dated_on, sign_by, scheme_code, currency, limit_minor,
                                lender_name, licence_number, terms, terms_hash, prepared_at, prepared_by, state,
                                countersigned_by, client_id, template_id, paper)
SELECT 'bench', c.jurisdiction, c.language, c.dated_on, c.sign_by, c.scheme_code, c.currency, c.limit_minor,
       c.lender_name, c.licence_number, c.terms, c.terms_hash, c.prepared_at, c.prepared_by, 'draft', '', fresh.client_id,
       c.template_id, c.paper
  FROM growth JOIN contracts_contract c ON c.id = contract_id, fresh WHERE is_active AND n % 2 = 0;
INSERT INTO contracts_move (contract_id, state, at, by, reason)
SELECT c.id, move.state, c.prepared_at + step * interval '1 hour', c.prepared_by, ''
  FROM fresh JOIN contracts_contract c USING (client_id),
       (VALUES (0, 'draft', 0), (1, 'offered', 2), (2, 'lapsed', 4), (3, 'withdrawn', 6)) AS move (step, state, least)
 WHERE c.key = 'bench' AND n % 8 >= least AND (step <> 2 OR n % 8 = 4);
UPDATE contracts_contract c SET state = CASE WHEN n % 8 >= 6 THEN 'withdrawn' ELSE 'lapsed' END, ended_at = at
  FROM fresh, growth WHERE c.client_id = fresh.client_id AND c.key = 'bench' AND n % 8 >= 4;
UPDATE contracts_contract c SET state = 'offered'
  FROM fresh WHERE c.client_id = fresh.client_id AND c.key = 'bench' AND n % 8 IN (2, 3);
INSERT INTO lending_creditrequest (client_id, scheme_code, scheme_version_id, currency, amount_minor, tenor_days, state,
                                   begun_at, begun_by, requested_at, waits_since, decision_id, grade, pool_code,
                                   attempt, problem, rate_bp, limit_minor, lapses_on)
SELECT client_id, 'STANDARD', growth.scheme_version_id, 'USD', 1000000 + n, 90,
       (ARRAY['draft', 'requested', 'deciding', 'referred', 'approved', 'declined', 'offered', 'signed',
              'approved_to_fund', 'failed', 'withdrawn', 'lapsed', 'declined'])[1 + n % 13],
       at - n % 60 * interval '1 day', 'user:' || manager_id, at - n % 60 * interval '1 day',
       at - n % 40 * interval '1 day', decision.id, 'B', 'MAIN', 0, '', 612, 5000000,
       CASE WHEN n % 13 IN (0, 4, 6, 7, 9) THEN on_day + 30 END
  FROM growth, fresh LEFT JOIN credit_creditdecision decision USING (client_id) WHERE is_active;
INSERT INTO lending_creditlot (request_id, instrument_id, quantity)
SELECT request.id, instrument_id, 100 + n % 50
  FROM fresh JOIN lending_creditrequest request USING (client_id) JOIN listed
    ON place IN (n % 5, 5 + n % 7);
INSERT INTO lending_step (request_id, at, actor, actor_name, action, state, words)
SELECT request.id, begun_at, request.begun_by, 'Manager', 'begin', CASE step WHEN 0 THEN 'draft' ELSE state END, ''
  FROM fresh JOIN lending_creditrequest request USING (client_id), generate_series(0, 1) AS step ORDER BY 1, step;
INSERT INTO treasury_payment (reference, key, subject, account_id, pool_id, amount_minor, currency, from_account,
                              to_account, text, "on", requested_by, requested_at, state, attempts, answer_by,
                              waits_since, bank_reference, reason, is_contradicted)
SELECT 'P-B' || borrowed.number, 'bench:' || borrowed.number, 'credit_request:' || request.id, borrowed.account_id, pool_id, 1000000 + n,
       'USD', 'pool:MAIN', 'client:' || client_id, 'Loan', on_day - n % 30, 'user:' || manager_id,
       at - n % 30 * interval '1 day', (ARRAY['requested', 'sent', 'rejected', 'unknown'])[1 + n % 4], 1, at,
       at - n % 30 * interval '1 day', '', '', false
  FROM growth, borrowed JOIN lending_creditrequest request USING (client_id) WHERE n % 2 = 1;
INSERT INTO treasury_payment_step (payment_id, at, actor, action, state, words)
SELECT payment.id, requested_at, requested_by, 'request', state, ''
  FROM borrowed JOIN treasury_payment payment USING (account_id);

-- Who they are: files, ratings, scores, consents, hits

INSERT INTO kyc_kycassessment (client_id, table_id, profile_version, cause, inputs, computed_rating, decided_rating,
                               points, blocking, note, assessed_on, assessed_at, assessed_by, next_review_on)
SELECT fresh.client_id, k.table_id, 1, k.cause, k.inputs, k.computed_rating, k.decided_rating, k.points, k.blocking, k.note,
       on_day - n % 400, at - n % 400 * interval '1 day', k.assessed_by, on_day + n % 700 - 60
  FROM growth JOIN kyc_kycassessment k ON k.id = kyc_id, fresh;
INSERT INTO parties_consent (client_id, purpose, text_version, channel, given_at, recorded_by, withdrawn_by,
                             withdrawal_reason)
SELECT client_id, purpose, '2019-1', 'portal', at, 'system:benchmark', '', ''
  FROM growth, fresh, (VALUES ('service'), ('sensitive_data')) AS asked (purpose);
INSERT INTO screening_screening (client_id, list_versions, screened_at)
SELECT client_id, '{}', at FROM growth, fresh;
INSERT INTO screening_hit (client_id, role, entry_id, source, reference, cause_hash, ours, theirs, score_bp, score,
                           birth, country, names, birth_year, countries, raised_at, state, outcome, proposed_by,
                           proposed_at, proposal, decided_by, decided_at, decision)
SELECT fresh.client_id, h.role, h.entry_id, h.source, h.reference, md5(fresh.client_id::text), h.ours, h.theirs, h.score_bp,
       h.score, h.birth, h.country, h.names, h.birth_year, h.countries, at - n % 90 * interval '1 day',
       CASE WHEN n % 16 = 0 THEN 'open' ELSE 'cleared' END, CASE WHEN n % 16 = 0 THEN '' ELSE 'cleared' END,
       CASE WHEN n % 16 = 0 THEN '' ELSE 'user:' || manager_id END, CASE WHEN n % 16 <> 0 THEN at END, '',
       CASE WHEN n % 16 = 0 THEN '' ELSE 'user:' || checker_id END, CASE WHEN n % 16 <> 0 THEN at END, ''
  FROM growth JOIN screening_hit h ON h.id = hit_id, fresh WHERE n % 8 = 0;

-- Leads' and applicants' steps; leads themselves come in by their service

UPDATE origination_lead lead SET state = (ARRAY['new', 'contacted', 'converted', 'lost'])[1 + id % 4],
                                 owner_id = CASE WHEN id % 3 = 0 THEN manager_id END
  FROM growth WHERE id % 4 > 0;
INSERT INTO origination_application (kind, channel, state, begun_at, submitted_at, waits_since, submissions, officer,
                                     officer_name, client_id)
SELECT 'individual', 'web', state, at - n % 90 * interval '1 day',
       CASE WHEN state <> 'draft' THEN at - n % 60 * interval '1 day' END, at - n % 60 * interval '1 day', 1,
       CASE WHEN state IN ('in_review', 'info_requested') THEN 'user:' || manager_id ELSE '' END,
       CASE WHEN state IN ('in_review', 'info_requested') THEN 'Manager' ELSE '' END, client_id
  FROM growth, fresh CROSS JOIN LATERAL (
       SELECT CASE WHEN is_active THEN 'accepted'
              ELSE (ARRAY['draft', 'submitted', 'in_review', 'info_requested', 'refused', 'withdrawn'])[1 + n / 8 % 6]
              END AS state) AS stage
 WHERE NOT is_active OR n % 4 = 1;
INSERT INTO origination_step (application_id, at, actor, actor_name, action, state, words)
SELECT application.id, begun_at, 'user:' || manager_id, 'Manager', 'begin',
       CASE step WHEN 0 THEN 'draft' ELSE state END, ''
  FROM growth, fresh JOIN origination_application application USING (client_id), generate_series(0, 1) AS step;
INSERT INTO origination_pre_screen (application_id, number, at, outcome, reasons, rules_version)
SELECT application.id, 1, submitted_at, 'passed', '[]', 1
  FROM fresh JOIN origination_application application USING (client_id) WHERE submitted_at IS NOT NULL;
INSERT INTO origination_info_request (application_id, asked_at, asked_by, sections, documents, words)
SELECT application.id, submitted_at, officer, '["wealth"]', '[]', 'Please tell us more.'
  FROM fresh JOIN origination_application application USING (client_id) WHERE state = 'info_requested';

-- What was watched, asked and told

INSERT INTO monitoring_activity (kind, key, client_id, at, account_id, amount_minor, counterparty, counterparty_name,
                                 score_bp, is_verified, is_third_party, country, instrument_id, quantity, price_units,
                                 position_before, move_bp, device, reference, declared_income_minor,
                                 declared_liquid_minor, declared_worth_minor)
SELECT (ARRAY['deposit', 'withdrawal', 'buy', 'sell', 'sign_in'])[1 + part % 5], 'bench:' || client_id || ':' || part,
       client_id, at - (part * 3 + n % 3) * interval '1 day', account_id, 100000 + n * part, 0, '', -1, -1, -1, '', 0,
       0, 0, 0, 0, 0, '', -1, -1, -1
  FROM growth, opened, generate_series(1, 20) AS part;
INSERT INTO monitoring_alert (rule_id, rule_version_id, activity_id, client_id, account_id, pivot, at, raised_at,
                              inputs, mode, consequence, state, snoozed_until, reason)
SELECT a.rule_id, a.rule_version_id, activity.id, fresh.client_id, activity.account_id, 'client:' || fresh.client_id,
       activity.at, activity.at, a.inputs, a.mode, a.consequence, (ARRAY['open', 'dismissed', 'snoozed'])[1 + n % 3],
       CASE WHEN n % 3 = 2 THEN growth.at + interval '9 days' END, CASE WHEN n % 3 = 0 THEN '' ELSE 'seen' END
  FROM growth JOIN monitoring_alert a ON a.id = alert_id, fresh JOIN monitoring_activity activity USING (client_id)
 WHERE fresh.n % 5 = 1 AND activity.key IN ('bench:' || fresh.client_id || ':1', 'bench:' || fresh.client_id || ':2');
INSERT INTO cases_case (title, state, opened_by, opened_at, due_at, disposition, disposition_reason, proposed_by,
                        closed_by)
SELECT 'Case of client ' || n, 'open', 'system:benchmark', at - n % 30 * interval '1 day',
       at + n % 30 * interval '1 day', '', '', '', ''
  FROM growth, fresh WHERE n % 50 = 1 AND is_active;
INSERT INTO cases_caseclient (case_id, client_id, reason, at)
SELECT c.id, client_id, 'alert', at
  FROM growth, fresh JOIN cases_case c ON c.title = 'Case of client ' || n;
INSERT INTO cases_entry (case_id, kind, at, by, text, facts)
SELECT c.id, 'note', at, 'system:benchmark', 'Looked at.', '{}'
  FROM growth, fresh JOIN cases_case c ON c.title = 'Case of client ' || n, generate_series(1, 3);
UPDATE monitoring_alert a SET state = 'in_case', case_id = link.case_id
  FROM cases_caseclient link JOIN fresh USING (client_id)
 WHERE a.client_id = link.client_id AND a.state <> 'in_case';
INSERT INTO monitoring_restriction (client_id, account_id, kind, amount_minor, hold_key, reason, placed_by, placed_at,
                                    released_by, release_reason)
SELECT client_id, account_id, 'block', 0, 'bench:' || client_id, 'looked at', 'system:benchmark', at, '', ''
  FROM growth, opened WHERE n % 50 = 3;
INSERT INTO notifications_notice (key, client_id, channel, "to", subject, body, about, state, attempts,
                                  next_attempt_at, last_error, evidence, queued_by, queued_at, delivered_at)
SELECT 'bench:' || client_id || ':' || part, client_id, 'mail', 'client' || n || '@bench.test', 'Your statement',
       'As of today.', 'client:' || client_id, 'delivered', 1, at, '', '{"message_id": "<bench>"}',
       'system:benchmark', at - part * interval '30 days', at - part * interval '30 days'
  FROM growth, fresh, generate_series(1, 3) AS part;
INSERT INTO access_approval (kind, subject, payload, payload_hash, reason, requested_by, requested_by_name,
                             requested_at, state, decided_by_name, decision_reason)
SELECT 'liquidation.start', 'bench:' || client_id, jsonb_build_object('client', client_id), payload.hash, 'because',
       'user:' || manager_id, 'Manager', at - n % 30 * interval '1 day', 'pending', '', ''
  FROM growth, fresh CROSS JOIN LATERAL (
       SELECT encode(sha256(convert_to(format('["liquidation.start","bench:%s",{"client":%s}]', client_id, client_id),
                                       'UTF8')), 'hex') AS hash) AS payload WHERE n % 10 = 1;
UPDATE access_approval a SET state = 'rejected', decided_by = 'user:' || checker_id, decided_by_name = 'Checker',
                             decided_at = at, decision_reason = 'no'
  FROM growth, fresh WHERE a.subject = 'bench:' || client_id AND n % 20 = 1;
INSERT INTO audit_entry (at, actor, action, subject, reason, inputs, recorded_at)
SELECT at - part * interval '1 day', 'system:benchmark', 'clients.look', 'client:' || client_id, '', '{}',
       at - part * interval '1 day'
  FROM growth, fresh, generate_series(1, 5) AS part;
