"""Addresses of the staff console: nouns, with a page's filters in its query."""

from django.urls import path

from reefpoint.surfaces.console.views import approvals, audit, today

app_name = "console"

urlpatterns = [
    path("", today.today, name="today"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<int:approval_id>/", approvals.approval, name="approval"),
    path("approvals/<int:approval_id>/decision/", approvals.decide, name="decide"),
    path("audit/", audit.audit, name="audit"),
]
