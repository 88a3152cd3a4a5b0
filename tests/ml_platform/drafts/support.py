"""Profiles and drafts for the tests, without a file or from the lines of one."""

from jsonschema import Draft202012Validator

from ml_platform.drafts import spec_check
from ml_platform.drafts.draft_file import write_draft
from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.guessing import guess_column
from ml_platform.specs import schema
from ml_platform.specs.catalog import parse_yaml, read_table


def profile_of(**columns):
    """Return the profile of a file with these columns of texts, all of the same length."""
    cells = {name: [str(cell) for cell in column] for name, column in columns.items()}
    guesses = {name: guess_column(name, column) for name, column in cells.items()}
    return Profile("made.csv", "CSV", None, len(next(iter(cells.values()))), False, guesses, cells, ())


def draft_of(tmp_path, lines, *, name="made", encoding="utf-8", **options):
    """Draft a spec from a file of these lines; return the spec, the draft and the YAML, which is checked."""
    file = tmp_path / f"{name}.csv"
    file.write_text("\n".join(lines) + "\n", encoding=encoding)
    draft = write_draft(file, name, tmp_path, **options)
    assert spec_check.problems(tmp_path) == []
    text = draft.path.read_text(encoding="utf-8")
    assert Draft202012Validator(schema.json_schema()).is_valid(parse_yaml(text))
    return read_table(draft.path), draft, text
