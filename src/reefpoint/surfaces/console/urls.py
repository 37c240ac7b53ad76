"""Addresses of the staff console: nouns, with a page's filters in its query."""

from datetime import date

from django.urls import path, register_converter

from reefpoint.surfaces.console.views import (
    accounts,
    actions,
    alerts,
    applications,
    approvals,
    audit,
    board,
    calls,
    cases,
    clients,
    data_keys,
    day_runs,
    imports,
    kyc,
    leads,
    licences,
    liquidations,
    monitoring,
    prices,
    publications,
    relations,
    schemes,
    screening,
    search,
    suitability,
    today,
)

app_name = "console"


class DayConverter:
    """A business date in an address: 2020-03-16."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """The date; a `ValueError` is no match."""
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        """The date as it stands in an address."""
        return value.isoformat()


register_converter(DayConverter, "day")

urlpatterns = [
    path("", today.door, name="today"),
    path("search/", search.search, name="search"),
    path("board/", board.board, name="board"),
    path("margin-accounts/", accounts.accounts, name="accounts"),
    path("margin-accounts/<int:account_id>/", accounts.account, name="account"),
    path("margin-accounts/<int:account_id>/actions/<slug:action>/", actions.act, name="act"),
    path("calls/", calls.calls, name="calls"),
    path("calls/<int:call_id>/", calls.call, name="call"),
    path("liquidations/", liquidations.liquidations, name="liquidations"),
    path("liquidations/<int:liquidation_id>/", liquidations.liquidation, name="liquidation"),
    path("days/", day_runs.day_runs, name="day_runs"),
    path("days/<day:on>/", day_runs.day_run, name="day_run"),
    path("clients/", clients.clients, name="clients"),
    path("clients/<int:client_id>/", clients.client, name="client"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<int:alert_id>/", alerts.alert, name="alert"),
    path("alerts/<int:alert_id>/decision/", alerts.decide_alert, name="decide_alert"),
    path("cases/", cases.cases, name="cases"),
    path("cases/<int:case_id>/", cases.case, name="case"),
    path("cases/<int:case_id>/<slug:step>/", cases.work_on_case, name="work_on_case"),
    path("cases/documents/<int:document_id>/content/", cases.case_document, name="case_document"),
    path("cases/reports/<int:report_id>/content/", cases.case_report, name="case_report"),
    path("related-accounts/", relations.groups, name="groups"),
    path("related-accounts/<int:group_id>/", relations.group, name="group"),
    path("related-accounts/<int:group_id>/limit/", relations.group_limit, name="group_limit"),
    path("related-accounts/exclusions/", relations.exclusions, name="exclusions"),
    path("related-accounts/exclusions/new/", relations.exclude, name="exclude"),
    path("related-accounts/exclusions/<int:exclusion_id>/end/", relations.count_again, name="count_again"),
    path("clients/<int:client_id>/standing/", clients.change_standing, name="client_standing"),
    path("clients/<int:client_id>/profile/", clients.profile, name="client_profile"),
    path("clients/<int:client_id>/in-full/", clients.show_field, name="client_unmask"),
    path("clients/<int:client_id>/bank-accounts/seen/", clients.verify_account, name="client_verify_account"),
    path("clients/<int:client_id>/documents/", clients.documents, name="client_documents"),
    path("documents/<int:document_id>/", clients.document, name="document"),
    path("clients/<int:client_id>/data/", clients.data, name="client_data"),
    path("clients/<int:client_id>/consents/", clients.consent, name="client_consent"),
    path("clients/<int:client_id>/export/", clients.export, name="client_export"),
    path("clients/<int:client_id>/erasure/", clients.erase, name="client_erase"),
    path("licences/", licences.licences, name="licences"),
    path("licences/<int:licence_id>/end/", licences.end, name="end_licence"),
    path("licences/<int:licence_id>/evidence/", licences.evidence, name="licence_evidence"),
    path("data-keys/", data_keys.data_keys, name="data_keys"),
    path("clients/<int:client_id>/kyc/", kyc.kyc, name="kyc"),
    path("clients/<int:client_id>/kyc/review/", kyc.review, name="kyc_review"),
    path("clients/<int:client_id>/suitability/", suitability.suitability, name="suitability"),
    path("clients/<int:client_id>/suitability/answers/", suitability.answer, name="questionnaire_answer"),
    path("clients/<int:client_id>/suitability/records/", suitability.record, name="suitability_record"),
    path("kyc/reviews/", kyc.reviews, name="kyc_reviews"),
    path("kyc/rating/", publications.rating_table, name="rating_table"),
    path("suitability/", suitability.offer_classes, name="risk_classes"),
    path("suitability/questionnaire/", publications.questionnaire, name="questionnaire"),
    path("suitability/offers/", publications.offers, name="offers"),
    path("monitoring/rules/", monitoring.rules, name="rules"),
    path("monitoring/rules/<slug:code>/", monitoring.rule, name="rule"),
    path("monitoring/rules/<slug:code>/draft/", monitoring.draft_rule, name="draft_rule"),
    path(
        "monitoring/rules/<slug:code>/versions/<int:version_id>/backtest/",
        monitoring.start_backtest,
        name="start_backtest",
    ),
    path(
        "monitoring/rules/<slug:code>/versions/<int:version_id>/change/",
        monitoring.request_change,
        name="request_rule_change",
    ),
    path("monitoring/backtests/<int:backtest_id>/", monitoring.backtest, name="backtest"),
    path("monitoring/restrictions/", monitoring.restrictions, name="restrictions"),
    path("monitoring/restrictions/<int:restriction_id>/release/", monitoring.release, name="release"),
    path("leads/", leads.leads, name="leads"),
    path("leads/new/", leads.new_lead, name="new_lead"),
    path("leads/alike/", leads.duplicates, name="lead_pairs"),
    path("leads/alike/<int:pair_id>/decision/", leads.decide_pair, name="decide_pair"),
    path("leads/conversion/", leads.conversion, name="conversion"),
    path("leads/<int:lead_id>/", leads.lead, name="lead"),
    path("applications/", applications.applications, name="applications"),
    path("applications/<int:application_id>/", applications.application, name="application"),
    path("applications/<int:application_id>/decision/", applications.decide_application, name="decide_application"),
    path("applications/<int:application_id>/letters/", applications.preview_application, name="preview_application"),
    path("applications/<int:application_id>/again/", applications.apply_again, name="apply_again"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<int:import_id>/", imports.one_import, name="import"),
    path("imports/<int:import_id>/bad-rows/", imports.bad_rows, name="bad_rows"),
    path("schemes/", schemes.schemes, name="schemes"),
    path("schemes/<int:scheme_id>/", schemes.scheme, name="scheme"),
    path("prices/", prices.prices, name="prices"),
    path("prices/<int:instrument_id>/", prices.instrument, name="instrument"),
    path("prices/held/<int:held_id>/decision/", prices.decide_held, name="decide_held"),
    path("prices/deliveries/<int:batch_id>/", prices.batch, name="batch"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<int:approval_id>/", approvals.approval, name="approval"),
    path("approvals/<int:approval_id>/decision/", approvals.decide, name="decide"),
    path("screening/", screening.hits, name="hits"),
    path("screening/hits/<int:hit_id>/", screening.hit, name="hit"),
    path("screening/hits/<int:hit_id>/resolution/", screening.resolve_hit, name="resolve_hit"),
    path("screening/lists/", screening.lists, name="screening_lists"),
    path("screening/lists/<int:version_id>/", screening.screening_list, name="screening_list"),
    path("screening/names/", screening.screen, name="screen_name"),
    path("audit/", audit.audit, name="audit"),
]
