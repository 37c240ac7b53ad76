"""What can be done with contracts and their templates."""

from reefpoint.records.contracts.services.preparing import (
    ContractMalformed,
    ContractTaken,
    MissingField,
    offer_contract,
    prepare_contract,
)
from reefpoint.records.contracts.services.signing import (
    DisclosuresMissing,
    DisclosureUnknown,
    NotACountersigner,
    OfferLapsed,
    StrongAuthenticationNeeded,
    acknowledge,
    countersign,
    end_unused_contract,
    ensure_root,
    erase_contracts,
    lapse_contracts,
    open_file,
    sign_as_client,
    withdraw_contract,
)

__all__ = [
    "ContractMalformed",
    "ContractTaken",
    "DisclosureUnknown",
    "DisclosuresMissing",
    "MissingField",
    "NotACountersigner",
    "OfferLapsed",
    "StrongAuthenticationNeeded",
    "acknowledge",
    "countersign",
    "end_unused_contract",
    "ensure_root",
    "erase_contracts",
    "lapse_contracts",
    "offer_contract",
    "open_file",
    "prepare_contract",
    "sign_as_client",
    "withdraw_contract",
]
