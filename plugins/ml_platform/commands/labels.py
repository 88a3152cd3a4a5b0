"""`ml-platform labels`: ask people about rows that were scored."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ml_platform.commands.support import counted, exit_on_error, use_servers, use_specs_folder, user

if TYPE_CHECKING:
    from ml_platform.labelling.ask import Questions

app = typer.Typer(help="Labels of rows that were scored: ask people for them.", no_args_is_help=True)


@app.callback()
def labels() -> None:
    """Keep `ask` a command of its own."""


@app.command()
def ask(
    name: Annotated[str, typer.Argument(help="a data set")],
    count: Annotated[int, typer.Option(min=1, max=10_000, help="number of rows, at most")] = 50,
    labeller: Annotated[str, typer.Option("--for", help="who will answer; stands in the file already")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object, for programs")] = False,
) -> None:
    """Choose scored rows that are worth a label, and write them to the bucket `label`, to be filled in."""
    use_specs_folder()
    use_servers()
    from ml_platform.labelling.ask import ask as ask_people  # only what a command needs is loaded
    from ml_platform.specs.catalog import dataset

    with exit_on_error():
        questions = ask_people(dataset(name), count, user(), labeller)
    if as_json:
        typer.echo(json.dumps(asdict(questions)))
        return
    for line in _sentences(questions):
        typer.echo(line)


def _sentences(questions: "Questions") -> list[str]:
    from ml_platform.specs.answer_files import BUCKET

    rows = f"{counted(questions.scored, 'row')} scored by version {questions.version}"
    left_out = ", ".join(f"{number:,} {reason}" for reason, number in questions.left_out.items())
    sentences = [f"{questions.dataset}: {rows}{f'; left out: {left_out}' if left_out else ''}"]
    if questions.without_file:
        number = counted(questions.without_file, "row")
        sentences.append(
            f"{number} came over HTTP or in a stream: their features are not kept, so they are not asked about"
        )
    if questions.key is None:
        return [*sentences, "there is nothing to ask; score more rows"]
    where = f"{BUCKET}/{questions.key}"
    return [
        *sentences,
        f"{counted(questions.rows, 'row')} to be labelled: {where}",
        f"fill in the label and labelled_by, and drop the file into the bucket {BUCKET} itself",
    ]
