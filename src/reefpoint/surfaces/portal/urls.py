"""Addresses of the client portal: the open way in, and what needs a sign-in below /portal/."""

from django.urls import path

from reefpoint.surfaces.portal.views import application, own, start

app_name = "portal"

urlpatterns = [
    path("start/", start.start, name="start"),
    path("start/enquiry/", start.enquire, name="enquire"),
    path("start/thanks/", start.thanks, name="thanks"),
    path("portal/", application.home, name="home"),
    path("portal/begin/", application.begin, name="begin"),
    path("portal/begin-again/", application.start_again, name="begin_again"),
    path("portal/sections/<slug:name>/", application.section, name="section"),
    path("portal/review/", application.review, name="review"),
    path("portal/withdraw/", application.withdraw, name="withdraw"),
    path("portal/documents/", own.documents, name="documents"),
    path("portal/documents/<int:document_id>/", own.document, name="document"),
    path("portal/questionnaire/", own.questionnaire, name="questionnaire"),
    path("portal/my-data/", own.own_data, name="own_data"),
    path("portal/my-data/marketing/", own.agree_to_marketing, name="agree_to_marketing"),
    path("portal/my-data/consents/<int:consent_id>/end/", own.take_back, name="take_back"),
]
