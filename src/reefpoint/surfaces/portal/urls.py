"""Addresses of the client portal: the open way in, and what needs a sign-in below /portal/."""

from django.urls import path

from reefpoint.surfaces.portal.views import accounts, application, borrow, contracts, loans, own, schemes, start

app_name = "portal"

urlpatterns = [
    path("start/", start.start, name="start"),
    path("start/enquiry/", start.enquire, name="enquire"),
    path("start/thanks/", start.thanks, name="thanks"),
    path("portal/", application.home, name="home"),
    path("portal/begin/", application.begin, name="begin"),
    path("portal/invitation/", application.take_invitation, name="invitation"),
    path("portal/begin-again/", application.start_again, name="begin_again"),
    path("portal/sections/<slug:name>/", application.section, name="section"),
    path("portal/review/", application.review, name="review"),
    path("portal/withdraw/", application.withdraw, name="withdraw"),
    path("portal/accounts/<int:account_id>/", accounts.account, name="account"),
    path("portal/borrow/", borrow.borrow, name="borrow"),
    path("portal/borrow/<int:request_id>/", borrow.borrowing, name="borrowing"),
    path("portal/borrow/<int:request_id>/next/", borrow.go_on, name="borrow_on"),
    path("portal/loans/<int:loan_id>/", loans.loan, name="loan"),
    path("portal/loans/<int:loan_id>/renewal/", loans.renew, name="renew_loan"),
    path("portal/documents/", own.documents, name="documents"),
    path("portal/documents/<int:document_id>/", own.document, name="document"),
    path("portal/questionnaire/", own.questionnaire, name="questionnaire"),
    path("portal/contracts/", contracts.contracts, name="contracts"),
    path("portal/contracts/root.pem", contracts.root, name="contract_root"),
    path("portal/contracts/<int:contract_id>/", contracts.contract, name="contract"),
    path(
        "portal/contracts/<int:contract_id>/acknowledgements/",
        contracts.acknowledge_disclosures,
        name="contract_acknowledge",
    ),
    path("portal/contracts/<int:contract_id>/signature/", contracts.sign, name="contract_sign"),
    path("portal/contracts/<int:contract_id>/decline/", contracts.decline, name="contract_decline"),
    path("portal/contracts/<int:contract_id>/paper/", contracts.paper, name="contract_paper"),
    path("portal/schemes/", schemes.schemes, name="schemes"),
    path("portal/schemes/simulate/", schemes.simulate, name="scheme_simulation"),
    path("portal/my-data/", own.own_data, name="own_data"),
    path("portal/my-data/marketing/", own.agree_to_marketing, name="agree_to_marketing"),
    path("portal/my-data/consents/<int:consent_id>/end/", own.take_back, name="take_back"),
]
