"""`reefpoint train`: models from data, for the desk to run without the libraries that trained them."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from reefpoint.decisions.scoring.adapters.training import Trained


class Sample(StrEnum):
    """What there is to train on."""

    GERMAN = "german"


def train(
    sample: Annotated[Sample, typer.Argument(help="The sample to train on; it comes with the program.")],
    write: Annotated[
        Path | None, typer.Option(help="Write the models and their facts into this folder.", file_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print data instead of a table.")] = False,
) -> None:
    """Train a scorecard (optbinning) and a challenger (LightGBM), and say how well they do with what spread.

    Five times two halves: each half is scored by what the other trained. A scorecard below AUC .77 or KS .45 is not
    written. Needs the extra: pip install 'reefpoint[train]'.

    Example: reefpoint train german --write models
    """
    from reefpoint.decisions.scoring.adapters.training import train_german

    trained = train_german()
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for one in trained:
            ending = "json" if one.artifact.startswith("{") else "txt"
            (write / f"{one.code}.{ending}").write_text(one.artifact, "utf-8")
            facts = json.dumps(one.facts, ensure_ascii=False, indent=1) + "\n"
            (write / f"{one.code}.facts.json").write_text(facts, "utf-8")
    if as_json:
        typer.echo(json.dumps({one.code: one.facts["metrics"] for one in trained}, indent=1))
    else:
        _print(Console(), trained)


def _print(console: Console, trained: "tuple[Trained, ...]") -> None:
    table = Table("model", "measure", "mean", "± sd", "least", "most", "95% interval", box=None, header_style="bold")
    for one in trained:
        for name, spread in one.measures.items():
            figures = (spread.mean, spread.deviation, spread.least, spread.most)
            table.add_row(
                one.code,
                name.upper(),
                *(f"{figure:.3f}" for figure in figures),
                f"{spread.low:.3f} – {spread.high:.3f}",
            )
    console.print(table)
