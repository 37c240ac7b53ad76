"""The proof of monitoring: guards stand, every alert is what its rule says of its inputs, holds match the ledger's."""

from reefpoint.decisions.monitoring.models import Alert, RuleVersion
from reefpoint.decisions.monitoring.rules.expressions import FactMissing
from reefpoint.decisions.monitoring.rules.judging import ReadRule, replay
from reefpoint.decisions.monitoring.selectors.rules import read_version
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import guards_of, verify_guards

STATEFUL = ("monitoring_activity", "monitoring_ruleversion", "monitoring_alert", "monitoring_restriction")


def verify_monitoring() -> list[Finding]:
    """Each guard that is gone, version that cannot be read, and alert that its own inputs do not raise (I60)."""
    findings = verify_guards((), guards_of(STATEFUL))
    versions: dict[int, ReadRule] = {}
    for row in RuleVersion.objects.select_related("rule").order_by("id"):
        try:
            versions[row.pk] = read_version(row)
        except Refusal as refusal:
            findings.append(Finding("monitoring.version", f"rule_version:{row.pk}", refusal.message))
    for alert_id, version_id, inputs in Alert.objects.values_list("id", "rule_version_id", "inputs").iterator():
        if version_id in versions and not _fires(versions[version_id], inputs):
            findings.append(
                Finding("monitoring.replay", f"alert:{alert_id}", "its rule does not fire on the inputs it holds")
            )
    return findings


def _fires(rule: ReadRule, inputs: dict[str, object]) -> bool:
    try:
        return replay(rule, inputs)
    except FactMissing:
        return False
