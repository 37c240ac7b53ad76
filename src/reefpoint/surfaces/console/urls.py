"""Addresses of the staff console: nouns, with a page's filters in its query."""

from django.urls import path

from reefpoint.surfaces.console.views import (
    accounts,
    actions,
    approvals,
    audit,
    board,
    calls,
    clients,
    prices,
    schemes,
    search,
    today,
)

app_name = "console"

urlpatterns = [
    path("", today.today, name="today"),
    path("search/", search.search, name="search"),
    path("board/", board.board, name="board"),
    path("margin-accounts/", accounts.accounts, name="accounts"),
    path("margin-accounts/<int:account_id>/", accounts.account, name="account"),
    path("margin-accounts/<int:account_id>/actions/<slug:action>/", actions.act, name="act"),
    path("calls/", calls.calls, name="calls"),
    path("calls/<int:call_id>/", calls.call, name="call"),
    path("clients/", clients.clients, name="clients"),
    path("clients/<int:client_id>/", clients.client, name="client"),
    path("schemes/", schemes.schemes, name="schemes"),
    path("schemes/<int:scheme_id>/", schemes.scheme, name="scheme"),
    path("prices/", prices.prices, name="prices"),
    path("prices/<int:instrument_id>/", prices.instrument, name="instrument"),
    path("prices/held/<int:held_id>/decision/", prices.decide_held, name="decide_held"),
    path("prices/deliveries/<int:batch_id>/", prices.batch, name="batch"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<int:approval_id>/", approvals.approval, name="approval"),
    path("approvals/<int:approval_id>/decision/", approvals.decide, name="decide"),
    path("audit/", audit.audit, name="audit"),
]
