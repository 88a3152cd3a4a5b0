"""A new data set step by step: a person corrects what was guessed from a file, and sees the spec and its check.

Each answer makes a new `Wizard`; what is dear to compute is kept from one to the next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ml_platform.drafts.column_review import ColumnRow, Use, column_rows, with_uses
from ml_platform.drafts.draft_file import check_name, entity_name, longest_column
from ml_platform.drafts.draft_text import draft_text
from ml_platform.drafts.drafting import Choices, choose, event_times, possible_labels
from ml_platform.drafts.file_names import ending, suggested_name
from ml_platform.drafts.file_profile import Profile, profile_file
from ml_platform.drafts.guessing import guess_as
from ml_platform.drafts.label_candidates import LabelCandidate
from ml_platform.drafts.natural_keys import possible_keys
from ml_platform.drafts.review_notes import review_notes
from ml_platform.drafts.spec_check import Trial, try_file
from ml_platform.drafts.spec_edit import EditCheck, check_edit
from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.specs.catalog import parse_table, spec_files
from ml_platform.specs.parts import ColumnType
from ml_platform.specs.spec import Table

ROWS = 50_000  # that are read for the guesses: several people may be at it at once
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answers:
    """What a person has said.

    Attributes:
        name: of the data set.
        is_table: whether it is a feature table, which has no label.
        label: the label's column; None if it is not chosen yet.
        key: the key's columns, () for none; None for the guessed one.
        time: the event time, "" for the time of the upload; None for the guessed one.
        types: types of columns that differ from the guessed ones.
        uses: uses of columns that differ from the guessed ones.
        sensitive: columns by whose values the model is judged.
    """

    name: str
    is_table: bool = False
    label: str | None = None
    key: tuple[str, ...] | None = None
    time: str | None = None
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    uses: Mapping[str, Use] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wizard:
    """A file, what was guessed from it, and the answers.

    Attributes:
        file: the data, on this machine.
        folder: of the specs.
        guessed: the profile of the file, as it was guessed.
        answers: of the person.
        memo: results that are kept, by what they depend on.
    """

    file: Path
    folder: Path
    guessed: Profile
    answers: Answers
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def answer(self, **changes: Any) -> "Wizard":
        """Return it with other answers; `changes` are fields of `Answers`."""
        answers = replace(self.answers, **changes)
        if "name" in changes and any(len(name) > longest_column(answers.name) for name in self.guessed.guesses):
            return begin(self.file, self.folder, answers.name)
        return replace(self, answers=answers)

    def _kept(self, key: Any, compute: Callable[[], Result]) -> Result:
        if key not in self.memo:
            self.memo[key] = compute()
        result: Result = self.memo[key]
        return result

    @property
    def name_problem(self) -> str:
        """Why the name cannot be used; "" if it can."""
        try:
            check_name(self.answers.name, self.folder)
        except ConfigurationError as error:
            return str(error)
        return ""

    @property
    def profile(self) -> Profile:
        """The profile with the types that were chosen."""
        types = {n: kind for n, kind in self.answers.types.items() if n in self.guessed.guesses}
        return self._kept(("profile", *sorted(types.items())), lambda: _retyped(self.guessed, types))

    @property
    def labels(self) -> tuple[list[LabelCandidate], list[LabelCandidate]]:
        """The columns that could be the label, and the plausible ones; both are empty if no column can be."""

        def find() -> tuple[list[LabelCandidate], list[LabelCandidate]]:
            try:
                return possible_labels(self.profile, self.answers.name)
            except ConfigurationError:
                return [], []

        return self._kept(("labels", self.answers.name, *sorted(self.answers.types.items())), find)

    @property
    def possible_keys(self) -> list[str]:
        """The columns that can be a key."""
        return possible_keys(self.profile)

    @property
    def possible_times(self) -> list[str]:
        """The columns that can be the event time: those with a moment in every row."""
        guesses = self.profile.guesses
        return [name for name in event_times(self.profile) if not (guesses[name].missing or guesses[name].misfits)]

    @property
    def choices(self) -> Choices:
        """The choices of the draft.

        Raises:
            ConfigurationError: the label is not chosen, or an answer does not fit; the text says which.
        """
        given, profile = self.answers, self.profile
        if not given.is_table and given.label is None:
            raise ConfigurationError("The label is not chosen yet.")
        key = (given.is_table, given.label, given.key, given.time, *sorted(given.types.items()))
        chosen = self._kept(("choices", *key), lambda: self._choose(profile))
        sensitive = () if given.is_table else given.sensitive
        return with_uses(profile, chosen, given.uses, sensitive)

    def _choose(self, profile: Profile) -> Choices:
        given = self.answers
        times = None if given.time is None else [given.time] if given.time else []
        chosen = choose(profile, is_table=given.is_table, label=given.label, key=given.key, times=times)
        candidates = [] if given.is_table else self.labels[0]
        best = [candidate for candidate in candidates if candidate.column == given.label]
        others = [candidate for candidate in candidates if candidate.column != given.label and candidate.score > 0]
        return replace(chosen, labels=[*(best or chosen.labels), *others])  # with their evidence

    def rows(self) -> list[ColumnRow]:
        """Return the columns of the file, in its order.

        Raises:
            ConfigurationError: as `choices`.
        """
        return column_rows(self.profile, self.choices)

    def text(self) -> str:
        """Return the YAML.

        Raises:
            ConfigurationError: as `choices`.
        """
        choices = self.choices
        entity = entity_name(choices, self.answers.name, self.folder)
        return draft_text(self.profile, choices, name=self.answers.name, entity=entity)

    def first_text(self) -> str:
        """Return the YAML without corrections of columns, key and event time, to compare with.

        Raises:
            ConfigurationError: as `choices`.
        """
        given = self.answers
        return replace(self, answers=Answers(given.name, given.is_table, given.label)).text()

    def notes(self) -> list[str]:
        """Return what only a person can decide, one sentence each.

        Raises:
            ConfigurationError: as `choices`.
        """
        return review_notes(self.profile, self.choices)

    def check(self) -> EditCheck:
        """Return the mistakes of the YAML, also against the other specs and rows already loaded under this name."""
        if self.name_problem:
            return EditCheck((self.name_problem,))
        try:
            text = self.text()
        except ConfigurationError as error:
            return EditCheck((str(error),))
        others = tuple((path.name, path.stat().st_mtime_ns) for path in spec_files(self.folder))
        return self._kept(("check", text, others), lambda: check_edit(self.folder, self.spec_path.name, "", text))

    @property
    def spec_path(self) -> Path:
        """The path of the YAML file."""
        return self.folder / f"{self.answers.name}.yaml"

    def table(self) -> Table:
        """Return the spec.

        Raises:
            ConfigurationError: the YAML has a mistake.
        """
        return parse_table(self.text(), self.spec_path)

    def trial(self) -> Trial:
        """Return what a load of the whole file would do.

        Raises:
            ConfigurationError: the YAML has a mistake.
            ContractError: the file would be rejected as a whole.
        """
        table = self.table()
        return self._kept(("trial", table.sha256), lambda: try_file(table, self.file, "train"))

    def trial_problem(self) -> str:
        """Return why the whole file would be rejected; "" if it would be loaded."""
        try:
            return self.trial().refusal
        except (ConfigurationError, ContractError) as error:
            return str(error)

    def object_key(self) -> str:
        """Return the key under which the file is dropped as the first training file.

        Raises:
            ConfigurationError: the YAML has a mistake.
        """
        return f"{self.table().inbox_prefix('train')}{ending(self.file.name)}"


def begin(file: Path, folder: Path, name: str = "") -> Wizard:
    """Read the first rows of a file, and guess.

    Args:
        file: the data, on this machine; its name says what they are.
        folder: of the specs.
        name: of the data set; "" to take it from the file's name.

    Raises:
        PlatformError: the file cannot be read, or has no rows; the text says why.
    """
    name = name or suggested_name(file.name)
    wizard = Wizard(file, folder, profile_file(file, longest_column(name), ROWS), Answers(name))
    _, plausible = wizard.labels
    return wizard.answer(label=plausible[0].column) if len(plausible) == 1 else wizard


def _retyped(profile: Profile, types: Mapping[str, ColumnType]) -> Profile:
    decimal = "," if "semicolon" in profile.form else "."
    chosen = {
        name: guess_as(profile.guesses[name].header, profile.cells[name], kind, decimal=decimal)
        for name, kind in types.items()
    }
    return replace(profile, guesses={name: chosen.get(name, guess) for name, guess in profile.guesses.items()})
