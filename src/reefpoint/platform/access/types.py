"""The roles of a lending desk."""

from enum import StrEnum


class RoleName(StrEnum):
    """What a person is employed for. A person may hold several."""

    RISK_OFFICER = "risk_officer"
    CREDIT_OFFICER = "credit_officer"
    RELATIONSHIP_MANAGER = "relationship_manager"
    TREASURY = "treasury"
    OPERATIONS = "operations"
    COMPLIANCE = "compliance"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
