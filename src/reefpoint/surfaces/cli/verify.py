"""`reefpoint verify`: the proof of the state."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from reefpoint.platform.database.home import data_home
from reefpoint.surfaces.cli.desk import open_desk, use_demo_database


def verify(
    demo: Annotated[
        bool, typer.Option("--demo", help="Prove the book that the last demo left, not the desk's.")
    ] = False,
) -> None:
    """Prove that the records hold together; exit code 1 and a named finding for whatever does not.

    Journals sum to zero and balances equal their entries, margin states equal a full revaluation, positions equal their
    movements, the audit and ledger chains are whole and agree with the anchors that day ends left outside the database
    (anchors.jsonl in the data folder), the outbox is drained, no call or sale is out of its state table.
    """
    if demo:
        use_demo_database(data_home())
    open_desk()
    if not print_verification(Console()):
        raise typer.Exit(1)


def print_verification(console: Console) -> bool:
    """Run every check and print its result; returns whether all is well."""
    from reefpoint.flows.operations.selectors.clock import desk_now
    from reefpoint.flows.operations.selectors.verify import count_erased, verify_state

    table = Table(title="Proof of the state", title_justify="left")
    table.add_column("check")
    table.add_column("result")
    erased = count_erased()

    def add(name: str, count: int) -> None:
        gone = f", {erased[name]} erased" if name in erased else ""
        table.add_row(name, f"[red]broken[/red]{gone}" if count else f"[green]holds[/green]{gone}")

    findings = verify_state(at=desk_now(), on_check=add)
    console.print(table)
    for finding in findings:
        console.print(f"[red]{finding.check}[/red] {finding.subject}: {finding.message}", highlight=False)
    if findings:
        console.print(f"[red]{len(findings)} findings.[/red]")
    return not findings
