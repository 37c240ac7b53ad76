"""`reefpoint verify`: the proof of the state."""

import typer
from rich.console import Console
from rich.table import Table

from reefpoint.surfaces.cli.desk import open_desk


def verify() -> None:
    """Prove that the records hold together; exit code 1 and a named finding for whatever does not.

    Journals sum to zero and balances equal their entries, margin states equal a full revaluation, positions equal their
    movements, the audit and ledger chains are whole, the outbox is drained, no call or sale is out of its state table.
    """
    open_desk()
    if not print_verification(Console()):
        raise typer.Exit(1)


def print_verification(console: Console) -> bool:
    """Run every check and print its result; returns whether all is well."""
    from reefpoint.flows.operations.selectors.clock import desk_now
    from reefpoint.flows.operations.selectors.verify import verify_state

    table = Table(title="Proof of the state", title_justify="left")
    table.add_column("check")
    table.add_column("result")
    findings = verify_state(
        at=desk_now(),
        on_check=lambda name, count: table.add_row(name, "[red]broken[/red]" if count else "[green]holds[/green]"),
    )
    console.print(table)
    for finding in findings:
        console.print(f"[red]{finding.check}[/red] {finding.subject}: {finding.message}", highlight=False)
    if findings:
        console.print(f"[red]{len(findings)} findings.[/red]")
    return not findings
